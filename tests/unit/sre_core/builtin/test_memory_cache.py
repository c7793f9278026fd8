"""MemoryCache keeps the rules of a cache, and its bounds."""

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.builtin.memory_cache import MemoryCache, MemoryCacheSettings
from sre_core.errors import ConnectorError, NotFoundError
from sre_core.testing.conformance.cache import CacheConformance


class TestMemoryCache(CacheConformance):
    def make(self):
        return MemoryCache(MemoryCacheSettings())


def cache_of(**settings) -> MemoryCache:
    return MemoryCache(MemoryCacheSettings(**settings))


async def test_what_was_not_used_for_the_longest_time_is_forgotten_first():
    cache = cache_of(max_entries=2)
    await cache.set("a", b"1")
    await cache.set("b", b"1")
    await cache.get("a")
    await cache.set("c", b"1")
    assert [await cache.get(key) for key in "abc"] == [b"1", None, b"1"]


async def test_counting_is_using():
    cache = cache_of(max_entries=2)
    await cache.increment("a")
    await cache.set("b", b"1")
    await cache.increment("a")
    await cache.set("c", b"1")
    assert await cache.get("a") == b"2"
    assert await cache.get("b") is None


async def test_asking_when_a_key_expires_is_not_using():
    cache = cache_of(max_entries=2)
    await cache.set("a", b"1")
    await cache.set("b", b"1")
    await cache.expires_in("a")
    await cache.set("c", b"1")
    assert await cache.get("a") is None


async def test_the_bytes_of_keys_and_values_are_bounded():
    cache = cache_of(max_bytes=100)
    for number in range(10):
        await cache.set(f"key-{number}", b"x" * 35)
    kept = [number for number in range(10) if await cache.get(f"key-{number}")]
    assert kept == [8, 9]


async def test_a_value_that_is_too_large_is_refused_and_pushes_nothing_out():
    cache = cache_of(max_bytes=100)
    await cache.set("small", b"1")
    with pytest.raises(ConnectorError, match="'large'") as refused:
        await cache.set("large", b"x" * 100)
    assert "max_bytes" in (refused.value.hint or "")
    assert await cache.get("small") == b"1"


async def test_replacing_a_value_by_one_too_large_keeps_the_old_one():
    cache = cache_of(max_bytes=100)
    await cache.set("key", b"old")
    with pytest.raises(ConnectorError):
        await cache.set("key", b"x" * 100)
    assert await cache.get("key") == b"old"


async def test_what_has_expired_goes_before_what_has_not():
    cache = cache_of(max_entries=2)
    await cache.set("old", b"1")
    await cache.set("brief", b"1", ttl=0.001)
    with anyio.fail_after(60):
        while True:
            try:
                await cache.expires_in("brief")
            except NotFoundError:
                break
    await cache.set("new", b"1")
    assert await cache.get("old") == b"1"


async def test_setting_one_key_again_and_again_takes_no_more_memory():
    cache = cache_of()
    for _ in range(1000):
        await cache.set("key", b"1", ttl=1000)
    assert len(cache._due) < 100


async def test_a_stopped_cache_has_forgotten_everything():
    cache = cache_of()
    await cache.set("key", b"1", ttl=1000)
    await cache.stop()
    assert await cache.get("key") is None


async def test_a_value_that_the_caller_changes_later_stays_as_it_was():
    cache = cache_of()
    value = bytearray(b"old")
    await cache.set("key", value)
    value[:] = b"new"
    assert await cache.get("key") == b"old"


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 40), st.booleans()), max_size=60))
async def test_no_sequence_of_calls_breaks_the_bounds_or_the_sum(calls):
    cache = cache_of(max_entries=4, max_bytes=64)
    for key, size, remove in calls:
        await cache.set(key, b"x" * size, ttl=1000 if size % 2 else None)
        if remove:
            await cache.delete(key)
        assert len(cache._entries) <= 4
        assert cache._size == sum(len(name) + len(entry.value) for name, entry in cache._entries.items()) <= 64


async def test_a_sum_beyond_64_bits_is_refused():
    cache = cache_of()
    await cache.increment("key", 2**63 - 1)
    with pytest.raises(ConnectorError, match="64-bit"):
        await cache.increment("key")
    assert await cache.get("key") == str(2**63 - 1).encode()
