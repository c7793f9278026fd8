"""A plugin with one connector, vectors in Pinecone."""

from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_pinecone.connector import PineconeVectors
from sre_pinecone.settings import PineconeSettings

__all__ = ["PineconeSettings", "PineconeVectors", "register_connectors"]


@hookimpl
def register_connectors() -> list[type[Connector]]:
    """The connectors of this plugin."""
    return [PineconeVectors]
