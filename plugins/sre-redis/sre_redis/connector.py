"""The verbs of a cache, as commands of Redis."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from sre_core.connectors.base import import_drivers
from sre_core.connectors.cache import CacheConnector
from sre_core.errors import ConflictError, ConnectorError, NotFoundError
from sre_redis.settings import RedisSettings

if TYPE_CHECKING:
    from sre_redis.link import Link

__all__ = ["RedisCache"]

_LARGEST_NUMBER = 2**63 - 1
_LARGEST_VALUE = 512 << 20  # the server's own bound, unless it was raised
_LONGEST_TTL = 10**15  # milliseconds, 30 thousand years: longer ones overflow on the server


class RedisCache(CacheConnector):
    """Keeps values in Redis, shared by all machines that reach it: one server, Sentinel or Cluster.

    A value lies under the prefix and its key, and anything may read it there. Lost connections are made again, and
    calls that lost theirs are repeated if that cannot count twice.
    """

    name = "redis"
    settings_type = RedisSettings
    capabilities: ClassVar[frozenset[str]] = frozenset({"increment"})

    def __init__(self, settings: RedisSettings) -> None:
        """Connect to nothing yet."""
        super().__init__(settings)
        self._redis_settings = settings
        self._prefix = settings.prefix
        self._link: Link | None = None

    async def start(self) -> None:
        """Connect, and see that the server answers. Raises ConnectorError, ConfigError."""
        await import_drivers("sre_redis.link")
        from sre_redis.link import Link

        self._link = await Link.open(self._redis_settings)
        await self._link.ping()

    async def stop(self) -> None:
        """Close all connections."""
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def ping(self) -> None:
        """Return when the server, or each primary of the Cluster, answers."""
        await self._opened().ping()

    async def describe(self) -> Mapping[str, str]:
        """Where the values are."""
        return {"values": f"{self._redis_settings.place}, keys {self._prefix}*"}

    async def get(self, key: str) -> bytes | None:
        """The value, or None."""
        found: bytes | None = await self._opened().call("GET", self._prefix + key, key=key)
        return found

    async def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep a value, replacing the old one and its time to live."""
        if len(value) > _LARGEST_VALUE:
            raise ConnectorError(
                f"a value of {len(value)} bytes under cache key {key!r} is more than Redis keeps, {_LARGEST_VALUE}",
                hint="keep it in a storage",
            )
        if ttl is None:
            await self._opened().call("SET", self._prefix + key, value, key=key)
        else:
            await self._opened().call("SET", self._prefix + key, value, "PX", _milliseconds(ttl), key=key)

    async def delete(self, key: str) -> None:
        """Forget a key; a missing one is not an error."""
        await self._opened().call("DEL", self._prefix + key, key=key)

    async def expires_in(self, key: str) -> float | None:
        """Seconds until the key expires; None when it never does. Raises NotFoundError."""
        left: int = await self._opened().call("PTTL", self._prefix + key, key=key)
        if left == -2:
            raise NotFoundError(f"cache key {key!r} does not exist", hint="it was never set, or has expired")
        return None if left == -1 else left / 1000

    async def increment(self, key: str, by: int = 1, *, ttl: float | None = None) -> int:
        """Add to a whole number of 64 bits, atomically for all who use the server.

        It is sent once: a call whose connection is lost before the answer raises UnavailableError, one without an
        answer in time DeadlineError, and in both cases the number may have been added. Raises ConflictError when the
        value is no whole number, or would leave the range.
        """
        if not -_LARGEST_NUMBER - 1 <= by <= _LARGEST_NUMBER:
            raise ConflictError(f"cache key {key!r} would leave the 64-bit range", hint="add a smaller number")
        if ttl is None:
            total: int = await self._opened().call("INCRBY", self._prefix + key, by, key=key, safe=False)
            return total
        return await self._opened().add(self._prefix + key, by, _milliseconds(ttl), key=key)

    def _opened(self) -> "Link":
        if self._link is None:
            raise ConnectorError(
                f"{self._redis_settings.place} is not connected", hint="start the connector before its use"
            )
        return self._link


def _milliseconds(ttl: float) -> int:
    """At least one: Redis takes no zero."""
    return max(1, round(min(ttl * 1000, _LONGEST_TTL)))
