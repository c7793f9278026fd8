"""A plugin with one connector, a cache in a JSON file."""

from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_example.connector import JsonCache, JsonCacheSettings

__all__ = ["JsonCache", "JsonCacheSettings", "register_connectors"]


@hookimpl
def register_connectors() -> list[type[Connector]]:
    """The connectors of this plugin."""
    return [JsonCache]
