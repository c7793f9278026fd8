"""Each rule of a storage that can expire objects, take conditions or make links, and a storage that breaks it."""

import asyncio
import time
from dataclasses import replace

import pytest

from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors.storage import NEW
from sre_core.errors import ConflictError
from sre_core.testing.conformance.storage_options import StorageOptions
from tests.unit.sre_core.testing.conformance.storage_twins import Bare, Linked, broken_rules


class ExpiresWithoutSayingSo(Bare):
    expire = MemoryStorage.expire


class TellsTheSecondsLeft(MemoryStorage):
    async def stat(self, key):
        found = await super().stat(key)
        return replace(found, expires=found.expires and found.expires - time.time())


class NeverTakesAnExpiryBack(MemoryStorage):
    async def expire(self, key, seconds):
        if seconds is not None or self._find(key) is None:
            await super().expire(key, seconds)


class DropsMetadataOnExpiry(MemoryStorage):
    async def expire(self, key, seconds):
        await super().expire(key, seconds)
        data, info = self._objects[key]
        self._objects[key] = data, replace(info, metadata={})


class ExpiresWhatIsMissing(MemoryStorage):
    async def expire(self, key, seconds):
        if not key.endswith("/missing"):
            await super().expire(key, seconds)


class Graveyard(MemoryStorage):
    """Remembers what was to expire, for the wrong ones below."""

    def __init__(self, settings):
        super().__init__(settings)
        self._dead = {}

    async def expire(self, key, seconds):
        await super().expire(key, seconds)
        self._dead[key] = self._objects[key]

    async def write(self, key, data, **rest):
        self._dead.pop(key, None)
        return await super().write(key, data, **rest)

    async def delete(self, key):
        self._dead.pop(key, None)
        await super().delete(key)


class ReadsWhatExpired(Graveyard):
    async def read(self, key):
        return self._dead[key][0] if key in self._dead else await super().read(key)


class StatsWhatExpired(Graveyard):
    async def stat(self, key):
        return self._dead[key][1] if key in self._dead else await super().stat(key)


class RevivesWhatExpired(Graveyard):
    async def expire(self, key, seconds):
        if self._find(key) is None and key in self._dead:
            self._objects[key] = self._dead[key]
        else:
            await super().expire(key, seconds)


class ListsWhatExpired(Graveyard):
    async def list(self, prefix):
        found = {info.key: info async for info in super().list(prefix)}
        found |= {key: info for key, (_, info) in self._dead.items() if key.startswith(prefix)}
        for _, info in sorted(found.items()):
            yield info


class StreamsWhatExpired(Graveyard):
    async def read_stream(self, key):
        if key in self._dead:
            yield self._dead[key][0]
        else:
            async for piece in super().read_stream(key):
                yield piece


class KeepsTheExpiryOnWriting(MemoryStorage):
    async def write(self, key, data, **rest):
        old = self._find(key)
        info = await super().write(key, data, **rest)
        # One that ends soon may have ended since.
        if old is not None and (old[1].expires or 0) > time.time() + 1:
            self._objects[key] = data, replace(info, expires=old[1].expires)
        return info


class TakesWhatExpiredForThere(Graveyard):
    async def write(self, key, data, *, if_version=None, **rest):
        if if_version == NEW and key in self._dead:
            raise ConflictError(f"{key!r} exists already")
        return await super().write(key, data, if_version=if_version, **rest)


class IgnoresConditionsSilently(Bare):
    async def write(self, key, data, *, if_version=None, **rest):
        return await super().write(key, data, **rest)


class OverwritesWithNew(MemoryStorage):
    async def write(self, key, data, *, if_version=None, **rest):
        return await super().write(key, data, if_version=if_version or None, **rest)


class TakesOneConditionOnly(MemoryStorage):
    async def write(self, key, data, *, if_version=None, **rest):
        found = self._find(key)
        if if_version and found is not None and "taken" in found[1].version:
            raise ConflictError(f"{key!r} was written with a condition before")
        info = await super().write(key, data, if_version=if_version, **rest)
        if if_version:
            info = replace(info, version=info.version + "taken")
            self._objects[key] = data, info
        return info


class TakesAnyVersion(MemoryStorage):
    async def write(self, key, data, *, if_version=None, **rest):
        there = self._find(key) is not None
        return await super().write(key, data, if_version=None if if_version and there else if_version, **rest)


class TakesAnyVersionOfWhatIsMissing(MemoryStorage):
    async def write(self, key, data, *, if_version=None, **rest):
        there = self._find(key) is not None
        return await super().write(key, data, if_version=if_version if there else None, **rest)


class ChecksThenWrites(MemoryStorage):
    async def write(self, key, data, *, if_version=None, **rest):
        found = self._find(key)
        if if_version is not None and if_version != (NEW if found is None else found[1].version):
            raise ConflictError(f"{key!r} has another version")
        if if_version is not None:
            await asyncio.sleep(0)
        return await super().write(key, data, **rest)


class LinksToNothing(Linked):
    async def url(self, key, seconds):
        return "data:,nothing"


class LinksWithoutSayingSo(MemoryStorage):
    async def url(self, key, seconds):
        return "data:,nothing"


RACE = "test_one_of_many_writes_with_the_same_version_wins"
TWINS = [
    (ExpiresWithoutSayingSo, {"test_without_the_capability_expire_is_unsupported"}),
    (TellsTheSecondsLeft, {"test_stat_tells_when_an_object_expires"}),
    (NeverTakesAnExpiryBack, {"test_expire_with_none_means_never"}),
    (DropsMetadataOnExpiry, {"test_expire_leaves_the_object_as_it_is"}),
    (ExpiresWhatIsMissing, {"test_expire_of_a_missing_object_is_not_found"}),
    (ReadsWhatExpired, {"test_an_expired_object_cannot_be_read"}),
    (StatsWhatExpired, {"test_stat_of_an_expired_object_is_not_found"}),
    (RevivesWhatExpired, {"test_expire_does_not_bring_an_expired_object_back"}),
    (ListsWhatExpired, {"test_list_leaves_out_what_expired"}),
    (StreamsWhatExpired, {"test_an_expired_object_cannot_be_read_in_pieces"}),
    (KeepsTheExpiryOnWriting, {"test_writing_again_takes_the_expiry_away"}),
    (TakesWhatExpiredForThere, {"test_an_expired_object_counts_as_new"}),
    (IgnoresConditionsSilently, {"test_without_the_capability_conditions_are_unsupported"}),
    # The race is lost by whoever takes a condition too lightly.
    (OverwritesWithNew, {"test_new_writes_only_what_does_not_exist", RACE}),
    (TakesOneConditionOnly, {"test_a_write_with_the_version_that_is_there_succeeds", RACE}),
    (TakesAnyVersion, {"test_a_write_with_an_older_version_is_a_conflict", RACE}),
    (TakesAnyVersionOfWhatIsMissing, {"test_a_version_of_a_missing_object_is_a_conflict"}),
    (ChecksThenWrites, {RACE}),
    (LinksToNothing, {"test_a_url_opens_the_object_for_anybody"}),
    (LinksWithoutSayingSo, {"test_a_url_opens_the_object_for_anybody"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "rules"), TWINS, ids=[kind.__name__ for kind, _ in TWINS])
def test_a_wrong_storage_breaks_exactly_its_rule(kind, rules):
    assert broken_rules(kind) == rules


def test_every_rule_has_a_twin():
    own = {name for name in vars(StorageOptions) if name.startswith("test_")}
    assert own == set().union(*(rules for _, rules in TWINS))
