"""A plugin with one connector, vectors in Milvus."""

from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_milvus.connector import MilvusVectors
from sre_milvus.settings import MilvusSettings

__all__ = ["MilvusSettings", "MilvusVectors", "register_connectors"]


@hookimpl
def register_connectors() -> list[type[Connector]]:
    """The connectors of this plugin."""
    return [MilvusVectors]
