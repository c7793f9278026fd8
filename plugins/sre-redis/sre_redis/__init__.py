"""Plugin `redis`: a cache in Redis."""

from collections.abc import Iterable

from sre_core.connectors.base import Connector
from sre_core.hookspecs import hookimpl
from sre_redis.connector import RedisCache
from sre_redis.settings import RedisSettings

__all__ = ["RedisCache", "RedisSettings", "register_connectors"]


@hookimpl
def register_connectors() -> Iterable[type[Connector]]:
    """The one connector of this plugin."""
    return (RedisCache,)
