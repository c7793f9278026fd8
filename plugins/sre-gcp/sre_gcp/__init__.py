"""Plugin `gcp`: objects in Google Cloud Storage."""

from collections.abc import Iterable

from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_gcp.connector import GcsStorage
from sre_gcp.settings import GcsSettings

__all__ = ["GcsSettings", "GcsStorage", "register_connectors"]


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The one connector of this plugin."""
    return (GcsStorage,)
