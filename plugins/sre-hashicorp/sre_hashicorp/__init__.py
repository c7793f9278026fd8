"""Plugin `hashicorp`: secrets in HashiCorp Vault or OpenBao."""

from collections.abc import Iterable

from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_hashicorp.connector import HashicorpVault
from sre_hashicorp.settings import HashicorpSettings

__all__ = ["HashicorpSettings", "HashicorpVault", "register_connectors"]


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The one connector of this plugin."""
    return (HashicorpVault,)
