"""The rules of CacheConnector, as tests that any cache can run."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from sre_core.connectors.base import Connector
from sre_core.connectors.cache import CacheConnector
from sre_core.errors import ConflictError, ConnectorError, NotFoundError, UnsupportedError
from sre_core.testing.conformance.lifecycle import LifecycleConformance

__all__ = ["CacheConformance"]

_BRIEF = 0.05  # seconds; a time to live that is waited for
_LONG = 3600.0  # seconds; one that no test lives to see the end of
_TOLERANCE = 60.0  # seconds that a slow machine may lose between two calls


class CacheConformance(LifecycleConformance):
    """Subclass it with `make`, as LifecycleConformance tells. Keys are random, so a shared server can be used."""

    @pytest.fixture(autouse=True)
    def _new_keys(self) -> None:
        self._home = f"agent/kit-{uuid.uuid4().hex}"
        self._used: set[str] = set()

    @pytest.fixture
    async def cache(self, connector: CacheConnector) -> AsyncIterator[CacheConnector]:
        """The started connector; the keys that a test used are forgotten afterwards."""
        yield connector
        for key in self._used:
            with suppress(ConnectorError):
                await connector.delete(key)

    def key(self, name: str) -> str:
        """A key that only this test uses."""
        key = f"{self._home}/{name}"
        self._used.add(key)
        return key

    async def exercise(self, connector: CacheConnector, token: str) -> None:
        """Keep a value, and read it back."""
        key = self.key(token)
        await connector.set(key, token.encode(), ttl=_LONG)
        assert await connector.get(key) == token.encode()

    # Values

    def test_it_is_a_cache(self) -> None:
        """It derives from CacheConnector."""
        made: Connector = self.make()
        assert isinstance(made, CacheConnector)

    async def test_a_missing_key_reads_as_none(self, cache: CacheConnector) -> None:
        """`get` of what was never set is None."""
        assert await cache.get(self.key("missing")) is None

    @pytest.mark.parametrize(
        "value",
        [b"text", b"", b"\x00\xff\r\n\x80", b"null", "\u00e9\u4e16".encode(), b"x" * 1024 * 1024],
        ids=["text", "empty", "binary", "null", "unicode", "a-mebibyte"],
    )
    async def test_a_value_reads_back_byte_for_byte(self, cache: CacheConnector, value: bytes) -> None:
        """`get` gives the bytes that were set, also none at all."""
        await cache.set(self.key("value"), value)
        assert await cache.get(self.key("value")) == value

    async def test_setting_again_replaces_the_value(self, cache: CacheConnector) -> None:
        """The later value stays, also when it is shorter."""
        await cache.set(self.key("value"), b"the first one")
        await cache.set(self.key("value"), b"second")
        assert await cache.get(self.key("value")) == b"second"

    async def test_different_keys_keep_different_values(self, cache: CacheConnector) -> None:
        """Keys that differ in any byte are different, whatever characters they have."""
        names = ["a", "A", "a/b", "a.b", "a:b", "a b", "a*", "a%", "a_", "[a]", "a\u0308", "\u00e4", "x" * 400]
        for name in names:
            await cache.set(self.key(name), name.encode())
        for name in names:
            assert await cache.get(self.key(name)) == name.encode(), f"key {name!r} holds another key's value"

    async def test_a_deleted_key_is_missing(self, cache: CacheConnector) -> None:
        """After `delete`, `get` is None, and no other key is gone."""
        for name in ("value", "value/below", "val"):
            await cache.set(self.key(name), b"1")
        await cache.delete(self.key("value"))
        assert await cache.get(self.key("value")) is None
        assert await cache.get(self.key("value/below")) == b"1"
        assert await cache.get(self.key("val")) == b"1"

    async def test_deleting_a_missing_key_is_no_error(self, cache: CacheConnector) -> None:
        """`delete` of what is not there returns."""
        await cache.delete(self.key("missing"))

    # Times to live

    async def test_without_a_ttl_a_key_never_expires(self, cache: CacheConnector) -> None:
        """`expires_in` is None."""
        await cache.set(self.key("value"), b"1")
        assert await cache.expires_in(self.key("value")) is None

    async def test_expires_in_tells_the_seconds_that_are_left(self, cache: CacheConnector) -> None:
        """`expires_in` is at most what was given, in seconds, and the value is still there."""
        await cache.set(self.key("value"), b"1", ttl=_LONG)
        await self._expires(cache, "value", _LONG)
        assert await cache.get(self.key("value")) == b"1"

    async def test_expires_in_of_a_missing_key_is_not_found(self, cache: CacheConnector) -> None:
        """It raises NotFoundError, since None means that the key never expires."""
        with pytest.raises(NotFoundError):
            await cache.expires_in(self.key("missing"))

    async def test_an_expired_key_reads_as_none(self, cache: CacheConnector) -> None:
        """A time to live below a second is kept as well."""
        await cache.set(self.key("value"), b"1", ttl=_BRIEF)
        await self._gone(cache, "value")

    async def test_expires_in_of_an_expired_key_is_not_found(self, cache: CacheConnector) -> None:
        """An expired key is a missing one."""
        key = self.key("value")
        await cache.set(key, b"1", ttl=_BRIEF)

        async def gone() -> bool:
            try:
                left = await cache.expires_in(key)
            except NotFoundError:
                return True
            assert left is not None, "expires_in of an expired key is None, as if it never expired"
            return False

        await self._until(gone)

    async def test_setting_again_replaces_the_ttl(self, cache: CacheConnector) -> None:
        """A shorter, a longer and no time to live take the place of the old one."""
        await cache.set(self.key("value"), b"1", ttl=_LONG)
        await cache.set(self.key("value"), b"2", ttl=2 * _LONG)
        await self._expires(cache, "value", 2 * _LONG)
        await cache.set(self.key("value"), b"3", ttl=_LONG)
        await self._expires(cache, "value", _LONG)
        await cache.set(self.key("value"), b"4")
        assert await cache.expires_in(self.key("value")) is None

    async def test_a_key_can_be_set_again_after_it_expired(self, cache: CacheConnector) -> None:
        """Nothing of the old time to live is left."""
        await cache.set(self.key("value"), b"old", ttl=_BRIEF)
        await self._gone(cache, "value")
        await cache.set(self.key("value"), b"new")
        assert await cache.get(self.key("value")) == b"new"

    # Capability "increment"

    async def test_without_the_capability_increment_is_unsupported(self, cache: CacheConnector) -> None:
        """Declared, it counts; not declared, it raises UnsupportedError."""
        if not await self._refuses_to_count(cache):
            assert await cache.increment(self.key("count")) == 1

    async def test_increment_counts_a_missing_key_as_zero(self, cache: CacheConnector) -> None:
        """The first result is what was added."""
        if await self._refuses_to_count(cache):
            return
        assert await cache.increment(self.key("one")) == 1
        assert await cache.increment(self.key("five"), 5) == 5

    async def test_increment_adds_to_the_number_and_returns_it(self, cache: CacheConnector) -> None:
        """Also downwards, and with large numbers."""
        if await self._refuses_to_count(cache):
            return
        key = self.key("count")
        assert [await cache.increment(key, by) for by in (7, -9, 2**53, 1)] == [7, -2, 2**53 - 2, 2**53 - 1]

    async def test_increment_keeps_the_number_as_decimal_digits(self, cache: CacheConnector) -> None:
        """`get` reads what `increment` kept, and `increment` adds to what `set` kept."""
        if await self._refuses_to_count(cache):
            return
        await cache.set(self.key("count"), b"41")
        assert await cache.increment(self.key("count")) == 42
        assert await cache.get(self.key("count")) == b"42"

    @pytest.mark.parametrize("value", [b"seven", b"1.5", b"\xff", b"{}"])
    async def test_increment_of_what_is_no_whole_number_is_a_conflict(
        self, cache: CacheConnector, value: bytes
    ) -> None:
        """It raises ConflictError, and the value stays."""
        if await self._refuses_to_count(cache):
            return
        await cache.set(self.key("count"), value)
        with pytest.raises(ConflictError):
            await cache.increment(self.key("count"))
        assert await cache.get(self.key("count")) == value

    async def test_increment_sets_the_ttl_when_it_makes_the_key(self, cache: CacheConnector) -> None:
        """Without one, the new key never expires."""
        if await self._refuses_to_count(cache):
            return
        await cache.increment(self.key("brief"), ttl=_LONG)
        await self._expires(cache, "brief", _LONG)
        await cache.increment(self.key("endless"))
        assert await cache.expires_in(self.key("endless")) is None

    async def test_increment_leaves_the_ttl_of_a_key_alone(self, cache: CacheConnector) -> None:
        """Whatever `ttl` is given, the first one stays, and so does none."""
        if await self._refuses_to_count(cache):
            return
        await cache.increment(self.key("count"), ttl=_LONG)
        await cache.increment(self.key("count"), ttl=9 * _LONG)
        await cache.increment(self.key("count"))
        await self._expires(cache, "count", _LONG)
        await cache.set(self.key("endless"), b"1")
        await cache.increment(self.key("endless"), ttl=_LONG)
        assert await cache.expires_in(self.key("endless")) is None

    async def test_increment_counts_an_expired_key_as_zero(self, cache: CacheConnector) -> None:
        """An expired number does not come back."""
        if await self._refuses_to_count(cache):
            return
        await cache.increment(self.key("count"), 10, ttl=_BRIEF)
        await self._gone(cache, "count")
        assert await cache.increment(self.key("count")) == 1

    async def test_increments_at_once_lose_none(self, cache: CacheConnector) -> None:
        """The results of many calls at once are all different, and the last is their sum."""
        if await self._refuses_to_count(cache):
            return
        async with asyncio.timeout(self.patience):
            sums = await asyncio.gather(*(cache.increment(self.key("count")) for _ in range(50)))
        assert sorted(sums) == list(range(1, 51))

    async def _refuses_to_count(self, cache: CacheConnector) -> bool:
        """Whether "increment" is not declared; then it must raise UnsupportedError."""
        if "increment" in cache.capabilities:
            return False
        with pytest.raises(UnsupportedError):
            await cache.increment(self.key("refused"))
        return True

    async def _expires(self, cache: CacheConnector, name: str, ttl: float) -> None:
        left: Any = await cache.expires_in(self.key(name))
        assert left is not None, "the key never expires"
        assert ttl - _TOLERANCE < left <= ttl, f"the key expires in {left!r} s, not in {ttl} s"

    async def _gone(self, cache: CacheConnector, name: str) -> None:
        async def gone() -> bool:
            return await cache.get(self.key(name)) is None

        await self._until(gone)

    async def _until(self, done: Callable[[], Awaitable[bool]]) -> None:
        """Ask again and again, since no clock but the backend's says when a time to live ends."""
        async with asyncio.timeout(self.patience):
            while True:
                if await done():
                    return
                await asyncio.sleep(0)
