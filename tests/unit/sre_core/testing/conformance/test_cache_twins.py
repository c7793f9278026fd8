"""Each rule of the cache kit catches a cache that breaks it."""

import asyncio
import time
from typing import ClassVar

import pytest

from sre_core.builtin.memory_cache import MemoryCache, MemoryCacheSettings
from sre_core.connectors import Connector, Service
from sre_core.errors import ConflictError, NotFoundError
from sre_core.testing.conformance.cache import CacheConformance
from tests.unit.sre_core.testing.conformance.twins import failing


class Kit(CacheConformance):
    patience: ClassVar[float] = 5.0


RULES = {name for name in vars(CacheConformance) if name.startswith("test_")}
COUNTING = {name for name in RULES if "increment" in name}


class Twin(MemoryCache):
    """Knows which keys were ever set."""

    def __init__(self, settings):
        super().__init__(settings)
        self.ever = set()

    async def set(self, key, value, *, ttl=None):
        self.ever.add(key)
        await super().set(key, value, ttl=ttl)


class NoCache(Connector):
    """Does all that a cache does, and is none."""

    service = Service.CACHE
    name = "none"
    settings_type = MemoryCacheSettings
    capabilities = MemoryCache.capabilities

    def __init__(self, settings):
        super().__init__(settings)
        cache = MemoryCache(settings)
        self.get, self.set, self.delete = cache.get, cache.set, cache.delete
        self.expires_in, self.increment = cache.expires_in, cache.increment


class EmptyForMissing(Twin):
    """Reads what was never set as no bytes."""

    async def get(self, key):
        found = await super().get(key)
        return b"" if found is None and key not in self.ever else found

    async def increment(self, key, by=1, *, ttl=None):
        self.ever.add(key)
        return await super().increment(key, by, ttl=ttl)


class NoneForEmpty(Twin):
    """Reads no bytes as nothing."""

    async def get(self, key):
        return await super().get(key) or None


class Overlays(Twin):
    """Leaves the end of a longer value."""

    async def set(self, key, value, *, ttl=None):
        old = await self.get(key) or b""
        await super().set(key, value + old[len(value) :], ttl=ttl)


class FoldsCase(Twin):
    """Takes "a" and "A" for one."""

    async def get(self, key):
        return await super().get(key.casefold())

    async def set(self, key, value, *, ttl=None):
        await super().set(key.casefold(), value, ttl=ttl)


class DeletesPrefix(Twin):
    """Forgets all that begins like the key."""

    async def delete(self, key):
        for other in [other for other in self._entries if other.startswith(key)]:
            await super().delete(other)


class MissesMissing(Twin):
    """Cannot delete what is not there."""

    async def delete(self, key):
        if await self.get(key) is None:
            raise NotFoundError(f"no key {key!r}")
        await super().delete(key)


class AlwaysExpires(Twin):
    """Gives every key an end."""

    async def set(self, key, value, *, ttl=None):
        new = key not in self._entries
        await super().set(key, value, ttl=1e6 if ttl is None and new else ttl)


class ReadsOnce(Twin):
    """Forgets a key when asked about its end."""

    async def expires_in(self, key):
        left = await super().expires_in(key)
        await self.delete(key)
        return left


class NeverSetNeverExpires(Twin):
    """Says of what was never set that it never expires."""

    async def expires_in(self, key):
        return None if key not in self.ever and key not in self._entries else await super().expires_in(key)


class WholeSeconds(Twin):
    """Keeps no time to live below a second."""

    async def set(self, key, value, *, ttl=None):
        await super().set(key, value, ttl=int(ttl) or None if ttl else None)


class ExpiredNeverExpires(Twin):
    """Says of an expired key that it never expires."""

    async def expires_in(self, key):
        try:
            return await super().expires_in(key)
        except NotFoundError:
            if key in self.ever:
                return None
            raise


class KeepsTtl(Twin):
    """Leaves the old time to live where no new one is given."""

    async def set(self, key, value, *, ttl=None):
        entry = self._live(key)
        if ttl is None and entry is not None and entry.expires is not None:
            ttl = entry.expires - time.monotonic()
        await super().set(key, value, ttl=ttl)


class Tombstones(Twin):
    """Never keeps again what expired once."""

    async def set(self, key, value, *, ttl=None):
        if key not in self.ever or key in self._entries:
            await super().set(key, value, ttl=ttl)


class CountsInSecret(Twin):
    """Does not declare what it can do."""

    capabilities = frozenset()


class StartsWithOne(Twin):
    """Counts a missing key from 1, whatever is added."""

    async def increment(self, key, by=1, *, ttl=None):
        return await super().increment(key, 1 if self._live(key) is None else by, ttl=ttl)


class Wraps(Twin):
    """Counts in 32 bits."""

    async def increment(self, key, by=1, *, ttl=None):
        total = await super().increment(key, by, ttl=ttl)
        return (total + 2**31) % 2**32 - 2**31


class PadsNumbers(Twin):
    """Keeps numbers in a form of its own."""

    async def increment(self, key, by=1, *, ttl=None):
        entry = self._live(key)
        if entry is not None:
            self._keep(key, entry.value.rstrip(b" "), entry.expires)
        total = await super().increment(key, by, ttl=ttl)
        self._keep(key, b"%d " % total, self._entries[key].expires)
        return total


class CountsAnything(Twin):
    """Takes any other value for 0."""

    async def increment(self, key, by=1, *, ttl=None):
        try:
            return await super().increment(key, by, ttl=ttl)
        except ConflictError:
            await self.set(key, b"%d" % by)
            return by


class CountsForAnHour(Twin):
    """Gives every new number an end."""

    async def increment(self, key, by=1, *, ttl=None):
        return await super().increment(key, by, ttl=ttl or 3600)


class RenewsTtl(Twin):
    """Counts, and lets the number live longer."""

    async def increment(self, key, by=1, *, ttl=None):
        total = await super().increment(key, by, ttl=ttl)
        if ttl is not None:
            await self.set(key, b"%d" % total, ttl=ttl)
        return total


class CountsOn(Twin):
    """Remembers numbers that have expired."""

    def __init__(self, settings):
        super().__init__(settings)
        self.totals = {}

    async def increment(self, key, by=1, *, ttl=None):
        before = self.totals.get(key, 0) if self._live(key) is None else 0
        self.totals[key] = await super().increment(key, by + before, ttl=ttl)
        return self.totals[key]


class LosesCounts(Twin):
    """Reads, waits, writes."""

    async def increment(self, key, by=1, *, ttl=None):
        entry = self._live(key)
        await asyncio.sleep(0)
        if entry is None:
            await self.delete(key)
        else:
            self._keep(key, entry.value, entry.expires)
        return await super().increment(key, by, ttl=ttl)


EXPIRY = {
    "test_expires_in_of_an_expired_key_is_not_found",
    "test_a_key_can_be_set_again_after_it_expired",
}
TWINS = [
    (NoCache, "test_it_is_a_cache", set()),
    (EmptyForMissing, "test_a_missing_key_reads_as_none", set()),
    (NoneForEmpty, "test_a_value_reads_back_byte_for_byte", set()),
    (Overlays, "test_setting_again_replaces_the_value", set()),
    (FoldsCase, "test_different_keys_keep_different_values", set()),
    (DeletesPrefix, "test_a_deleted_key_is_missing", set()),
    (MissesMissing, "test_deleting_a_missing_key_is_no_error", set()),
    (AlwaysExpires, "test_without_a_ttl_a_key_never_expires", {"test_increment_leaves_the_ttl_of_a_key_alone"}),
    (ReadsOnce, "test_expires_in_tells_the_seconds_that_are_left", set()),
    (NeverSetNeverExpires, "test_expires_in_of_a_missing_key_is_not_found", set()),
    (WholeSeconds, "test_an_expired_key_reads_as_none", EXPIRY),
    (ExpiredNeverExpires, "test_expires_in_of_an_expired_key_is_not_found", set()),
    (KeepsTtl, "test_setting_again_replaces_the_ttl", set()),
    (Tombstones, "test_a_key_can_be_set_again_after_it_expired", set()),
    (CountsInSecret, "test_without_the_capability_increment_is_unsupported", COUNTING),
    (
        StartsWithOne,
        "test_increment_counts_a_missing_key_as_zero",
        {"test_increment_adds_to_the_number_and_returns_it"},
    ),
    (Wraps, "test_increment_adds_to_the_number_and_returns_it", set()),
    (PadsNumbers, "test_increment_keeps_the_number_as_decimal_digits", set()),
    (CountsAnything, "test_increment_of_what_is_no_whole_number_is_a_conflict", set()),
    (CountsForAnHour, "test_increment_sets_the_ttl_when_it_makes_the_key", set()),
    (RenewsTtl, "test_increment_leaves_the_ttl_of_a_key_alone", set()),
    (CountsOn, "test_increment_counts_an_expired_key_as_zero", set()),
    (LosesCounts, "test_increments_at_once_lose_none", set()),
]


@pytest.mark.parametrize(("kind", "rule", "too"), TWINS, ids=[kind.__name__ for kind, _, _ in TWINS])
def test_a_cache_that_breaks_a_rule_fails_its_test(kind, rule, too):
    found = {name.partition("[")[0] for name in failing(Kit, lambda: kind(MemoryCacheSettings()))}
    assert found == {rule} | too


def test_every_rule_has_a_twin():
    assert {rule for _, rule, _ in TWINS} == RULES


def test_a_cache_that_keeps_the_rules_fails_none():
    assert failing(Kit, lambda: Twin(MemoryCacheSettings())) == set()


def test_a_cache_that_cannot_count_and_says_so_fails_none():
    class CannotCount(Twin):
        """Counts nothing."""

        capabilities = frozenset()

        async def increment(self, key, by=1, *, ttl=None):
            raise self.unsupported("increment")

    assert failing(Kit, lambda: CannotCount(MemoryCacheSettings())) == set()
