"""Plugin `azure`: objects in Azure Blob Storage."""

from collections.abc import Iterable

from sre_azure.connector import AzureStorage
from sre_azure.settings import AzureSettings
from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl

__all__ = ["AzureSettings", "AzureStorage", "register_connectors"]


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The one connector of this plugin."""
    return (AzureStorage,)
