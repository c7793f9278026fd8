"""Short-lived values: what a plugin writes (CacheConnector) and what a user holds (Cache)."""

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pydantic_core

from sre_core.access.acl import Access
from sre_core.connectors.base import Connector, Service
from sre_core.connectors.handle import Handle

__all__ = ["Cache", "CacheConnector"]

T = TypeVar("T")


class CacheConnector(Connector):
    """Keeps bytes under keys for a while. A missing or expired key reads as None.

    Times to live are seconds, above 0; None means no end. Capability: "increment".
    """

    service = Service.CACHE

    @abstractmethod
    async def get(self, key: str) -> bytes | None:
        """The value, or None."""

    @abstractmethod
    async def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep a value, replacing the old one and its time to live."""

    @abstractmethod
    async def delete(self, key: str) -> None:
        """Forget a key; a missing one is not an error."""

    @abstractmethod
    async def expires_in(self, key: str) -> float | None:
        """Seconds until the key expires; None when it never does. Raises NotFoundError when it is missing."""

    async def increment(self, key: str, by: int = 1, *, ttl: float | None = None) -> int:
        """Add to a whole number, atomically; a missing key counts as 0. Capability "increment".

        The number is kept as decimal digits. `ttl` is set when the key is made, and left alone afterwards.
        Raises ConflictError when the value is not a whole number.
        """
        raise self.unsupported("increment")


class Cache(Handle):
    """Cached values, as one candidate may use them. Values are anything that JSON can hold.

    Bytes are kept as they are, and read back with `get_bytes`.
    """

    service = Service.CACHE

    @property
    def _connector(self) -> CacheConnector:
        return self._slot.connector  # type: ignore[return-value]  # the runtime pairs slots with handles by service

    async def get(self, key: str, default: Any = None) -> Any:
        """The value, or `default` when the key is missing or expired. Needs READ."""
        raw = await self.get_bytes(key)
        return default if raw is None else pydantic_core.from_json(raw)

    async def get_bytes(self, key: str) -> bytes | None:
        """The value as it was kept, or None. Needs READ."""
        async with self._operation("get", Access.READ, key):
            return await self._connector.get(self._key(key))

    async def set(self, key: str, value: Any, *, ttl: float | None = None) -> None:
        """Keep a value for `ttl` seconds (None: no end). Needs WRITE.

        Raises ValueError for a `ttl` that is not above 0, pydantic_core.PydanticSerializationError for a value
        that JSON cannot hold.
        """
        _check_ttl(ttl)
        raw = value if isinstance(value, bytes) else pydantic_core.to_json(value)
        async with self._operation("set", Access.WRITE, key):
            await self._connector.set(self._key(key), raw, ttl=ttl)

    async def delete(self, key: str) -> None:
        """Forget a key; a missing one is not an error. Needs WRITE."""
        async with self._operation("delete", Access.WRITE, key):
            await self._connector.delete(self._key(key))

    async def expires_in(self, key: str) -> float | None:
        """Seconds until the key expires; None when it never does. Raises NotFoundError. Needs READ."""
        async with self._operation("expires_in", Access.READ, key):
            return await self._connector.expires_in(self._key(key))

    async def increment(self, key: str, by: int = 1, *, ttl: float | None = None) -> int:
        """Add to a whole number, atomically, and return it. Capability "increment"; needs WRITE.

        `ttl` counts from when the key is made. Raises ConflictError when the value is not a whole number,
        ValueError for a `ttl` that is not above 0.
        """
        _check_ttl(ttl)
        async with self._operation("increment", Access.WRITE, key):
            return await self._connector.increment(self._key(key), by, ttl=ttl)

    async def memoize(self, key: str, make: Callable[[], Awaitable[T]], *, ttl: float | None = None) -> T:
        """The cached value, or what `make` returns, kept for next time. Needs WRITE.

        Two callers at once may both run `make`; the later value stays.
        """
        raw = await self.get_bytes(key)
        if raw is not None:
            return pydantic_core.from_json(raw)  # type: ignore[no-any-return]  # what `make` returned before
        value = await make()
        await self.set(key, value, ttl=ttl)
        return value


def _check_ttl(ttl: float | None) -> None:
    if ttl is not None and ttl <= 0:
        raise ValueError(f"ttl must be above 0, not {ttl!r}")
