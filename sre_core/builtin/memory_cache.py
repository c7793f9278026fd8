"""A bounded cache in the memory of this process."""

import heapq
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from sre_core.builtin import counter
from sre_core.connectors.base import Settings
from sre_core.connectors.cache import CacheConnector
from sre_core.errors import ConnectorError, NotFoundError

__all__ = ["MemoryCache", "MemoryCacheSettings"]


class MemoryCacheSettings(Settings):
    """How much a MemoryCache keeps before it forgets what was not used for the longest time."""

    max_entries: int = Field(default=100_000, gt=0)
    max_bytes: int = Field(default=64 * 1024 * 1024, gt=0, description="of keys and values, in bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    value: bytes
    size: int
    expires: float | None  # on the monotonic clock


class MemoryCache(CacheConnector):
    """Keeps the most recently used values up to a bound; a restart forgets all of them."""

    name = "memory"
    settings_type = MemoryCacheSettings
    capabilities: ClassVar[frozenset[str]] = frozenset({"increment"})

    def __init__(self, settings: MemoryCacheSettings) -> None:
        """Start empty."""
        super().__init__(settings)
        self._max_entries = settings.max_entries
        self._max_bytes = settings.max_bytes
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        # What expires, soonest first. A replaced entry leaves its old line here until that is due.
        self._due: list[tuple[float, str]] = []
        self._size = 0

    async def stop(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._due.clear()
        self._size = 0

    async def get(self, key: str) -> bytes | None:
        """The value, or None."""
        entry = self._live(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry.value

    async def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep a value. Raises ConnectorError when it alone is larger than `max_bytes`."""
        self._keep(key, bytes(value), None if ttl is None else time.monotonic() + ttl)

    async def delete(self, key: str) -> None:
        """Forget a key; a missing one is not an error."""
        self._drop(key)

    async def expires_in(self, key: str) -> float | None:
        """Seconds until the key expires; None when it never does. Raises NotFoundError."""
        entry = self._live(key)
        if entry is None:
            raise NotFoundError(
                f"cache key {key!r} does not exist", hint="it was never set, has expired or was evicted"
            )
        return None if entry.expires is None else max(entry.expires - time.monotonic(), 0.0)

    async def increment(self, key: str, by: int = 1, *, ttl: float | None = None) -> int:
        """Add to a whole number and return it. Raises ConflictError when the value is none."""
        entry = self._live(key)
        total = counter.add(key, entry.value if entry else None, by)
        expires = (None if ttl is None else time.monotonic() + ttl) if entry is None else entry.expires
        self._keep(key, str(total).encode(), expires)
        return total

    def _live(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        if entry is not None and entry.expires is not None and entry.expires <= time.monotonic():
            self._drop(key)
            return None
        return entry

    def _keep(self, key: str, value: bytes, expires: float | None) -> None:
        size = len(key.encode("utf-8", "surrogatepass")) + len(value)
        if size > self._max_bytes:
            raise ConnectorError(
                f"cache key {key!r} with its value takes {size} bytes, and the cache holds {self._max_bytes}",
                hint="raise max_bytes of the memory cache, or keep large objects in storage",
            )
        self._drop(key)
        self._entries[key] = _Entry(value=value, size=size, expires=expires)
        self._size += size
        if expires is not None:
            heapq.heappush(self._due, (expires, key))
        self._forget_expired()
        while len(self._entries) > self._max_entries or self._size > self._max_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= entry.size

    def _forget_expired(self) -> None:
        """Drop what is due, so that expired values never push out live ones."""
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            expires, key = heapq.heappop(self._due)
            entry = self._entries.get(key)
            if entry is not None and entry.expires == expires:
                self._drop(key)
        # Keys that are set again and again would let the list of dates grow without end.
        if len(self._due) > 2 * len(self._entries) + 64:
            self._due = [(e.expires, key) for key, e in self._entries.items() if e.expires is not None]
            heapq.heapify(self._due)
