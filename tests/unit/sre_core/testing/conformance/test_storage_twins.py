"""Each rule of every storage, and a storage that breaks it."""

import asyncio
import contextlib
import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import Connector, Service, Settings
from sre_core.connectors.storage import ObjectInfo
from sre_core.errors import ConnectorError, NotFoundError
from sre_core.testing.conformance.storage import StorageConformance
from tests.unit.sre_core.testing.conformance.storage_twins import Bare, Linked, broken_rules


@pytest.mark.parametrize("kind", [MemoryStorage, Bare, Linked])
def test_a_good_storage_breaks_no_rule(kind):
    assert broken_rules(kind) == set()


class Duck(Connector):
    """Only looks like a storage."""

    service = Service.STORAGE
    name = "duck"
    capabilities = MemoryStorage.capabilities

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._storage = MemoryStorage(settings)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


class ReadsMissingAsEmpty(MemoryStorage):
    async def read(self, key):
        return b"" if key.endswith("/missing") else await super().read(key)


class SeesFoldersAsObjects(MemoryStorage):
    async def stat(self, key):
        if key.endswith("/folder") and key not in self._objects:
            return ObjectInfo(key=key, size=0, version="0", modified=0.0)
        return await super().stat(key)


class WritesText(MemoryStorage):
    async def write(self, key, data, **rest):
        return await super().write(key, data.replace(b"\r\n", b"\n"), **rest)


class LowersNamesOfMetadata(MemoryStorage):
    async def write(self, key, data, *, metadata=None, **rest):
        lowered = {name.lower(): value for name, value in (metadata or {}).items()}
        return await super().write(key, data, metadata=lowered, **rest)


class AddsMetadataOfItsOwn(MemoryStorage):
    async def write(self, key, data, *, metadata=None, **rest):
        return await super().write(key, data, metadata=metadata or {"written-by": "acme"}, **rest)


class KeepsTheCallersMapping(MemoryStorage):
    async def write(self, key, data, *, metadata=None, **rest):
        info = await super().write(key, data, metadata=metadata, **rest)
        self._objects[key] = self._objects[key][0], replace(info, metadata={} if metadata is None else metadata)
        return info


class KeepsTheTail(MemoryStorage):
    async def write(self, key, data, **rest):
        old = self._objects.get(key, (b"",))[0]
        return await super().write(key, data + old[len(data) :] if 10 < len(old) < 100 else data, **rest)


class MergesMetadata(MemoryStorage):
    async def write(self, key, data, *, metadata=None, **rest):
        again = key in self._objects and "content_type" not in rest
        old = dict(self._objects[key][1].metadata) if again else {}
        return await super().write(key, data, metadata=old | dict(metadata or {}), **rest)


class ReturnsLessThanItKnows(MemoryStorage):
    async def write(self, key, data, **rest):
        return replace(await super().write(key, data, **rest), content_type="")


class CountsMilliseconds(MemoryStorage):
    async def stat(self, key):
        found = await super().stat(key)
        return replace(found, modified=found.modified * 1000)


class HasTheHashAsVersion(MemoryStorage):
    async def write(self, key, data, **rest):
        info = await super().write(key, data, **rest)
        if data == b"same":
            info = replace(info, version=str(hash(data)))
            self._objects[key] = data, info
        return info


class ChangesTheVersionOnReading(MemoryStorage):
    async def read(self, key):
        data, info = self._get(key)
        self._objects[key] = data, replace(info, version=info.version + "+")
        return data


class FoldsAccents(MemoryStorage):
    async def write(self, key, data, **rest):
        return await super().write(unicodedata.normalize("NFC", key), data, **rest)

    async def read(self, key):
        return await super().read(unicodedata.normalize("NFC", key))


class IgnoresCase(MemoryStorage):
    async def write(self, key, data, **rest):
        if key.endswith("/A"):
            await super().write(key[:-1] + "a", data, **rest)
        return await super().write(key, data, **rest)


class HasFoldersOrObjects(MemoryStorage):
    async def write(self, key, data, **rest):
        if key.endswith(("/z", "/z/y")) and any(other.startswith(f"{key}/") for other in self._objects):
            raise ConnectorError(f"{key!r} is a folder")
        return await super().write(key, data, **rest)


class DeletesWhatIsBelow(MemoryStorage):
    async def delete(self, key):
        for other in [other for other in self._objects if other.startswith(f"{key}/") and "folder" not in other]:
            await super().delete(other)
        await super().delete(key)


class DeletesOnlyOnce(MemoryStorage):
    async def delete(self, key):
        if key.endswith("/missing"):
            raise NotFoundError(f"there is no object {key!r}")
        await super().delete(key)


class ListsByPrefix(MemoryStorage):
    async def list(self, prefix):
        for key in sorted(self._objects):
            if key.startswith(prefix) and (key.startswith(f"{prefix}/") or prefix.endswith("/a") or not prefix):
                with contextlib.suppress(NotFoundError):
                    yield await self.stat(key)


class ListsThePrefixItself(MemoryStorage):
    async def list(self, prefix):
        if prefix.endswith("/a") and prefix in self._objects:
            yield await self.stat(prefix)
        async for info in super().list(prefix):
            yield info


class ListsFolderByFolder(MemoryStorage):
    async def list(self, prefix):
        for info in sorted([info async for info in super().list(prefix)], key=lambda info: info.key.split("/")):
            yield info


class ListsInUtf16(MemoryStorage):
    async def list(self, prefix):
        for info in sorted(
            [info async for info in super().list(prefix)], key=lambda info: info.key.encode("utf-16-be")
        ):
            yield info


class FailsOnUnknownPrefixes(MemoryStorage):
    async def list(self, prefix):
        if prefix.endswith("/unknown"):
            raise NotFoundError(f"there is no folder {prefix!r}")
        async for info in super().list(prefix):
            yield info


class ListsNothingWithoutPrefix(MemoryStorage):
    async def list(self, prefix):
        if prefix:
            async for info in super().list(prefix):
                yield info


class ListsWithoutSizes(MemoryStorage):
    async def list(self, prefix):
        async for info in super().list(prefix):
            yield replace(info, size=0)


class ListsTombstones(MemoryStorage):
    def __init__(self, settings):
        super().__init__(settings)
        self._deleted: dict[str, ObjectInfo] = {}

    async def delete(self, key):
        if key in self._objects:
            self._deleted[key] = self._objects[key][1]
        await super().delete(key)

    async def list(self, prefix):
        found = [info async for info in super().list(prefix)]
        found += [info for key, info in self._deleted.items() if key.startswith(f"{prefix}/")]
        for info in sorted(found, key=lambda info: info.key):
            yield info


class ListsOnePage(MemoryStorage):
    async def list(self, prefix):
        count = 0
        async for info in super().list(prefix):
            if count < 100:
                yield info
            count += 1


class ListsOnlyOnce(MemoryStorage):
    busy = False

    async def list(self, prefix):
        if self.busy:
            raise ConnectorError("the only connection is in use")
        self.busy = True
        async for info in super().list(prefix):
            yield info
        self.busy = False


class WritesInPlace(MemoryStorage):
    async def write(self, key, data, **rest):
        if len(data) > 1 << 20:
            await super().write(key, data[:1000], **rest)
            await asyncio.sleep(0)
        return await super().write(key, data, **rest)


class LeavesHalfWhenCancelled(MemoryStorage):
    async def write(self, key, data, **rest):
        if len(data) == 1 << 20:
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                await super().write(key, data[:1000], **rest)
                raise
        return await super().write(key, data, **rest)


TWINS = [
    (ReadsMissingAsEmpty, "test_reading_a_missing_object_is_not_found"),
    (SeesFoldersAsObjects, "test_stat_of_a_missing_object_is_not_found"),
    (WritesText, "test_an_object_reads_back_byte_for_byte"),
    (LowersNamesOfMetadata, "test_content_type_and_metadata_come_back_as_they_were_given"),
    (AddsMetadataOfItsOwn, "test_without_content_type_and_metadata_there_are_defaults"),
    (KeepsTheCallersMapping, "test_metadata_do_not_change_with_the_mapping_they_came_from"),
    (KeepsTheTail, "test_writing_again_replaces_the_bytes"),
    (MergesMetadata, "test_writing_again_replaces_content_type_and_metadata"),
    (ReturnsLessThanItKnows, "test_write_returns_what_stat_tells"),
    (CountsMilliseconds, "test_modified_is_the_time_of_the_write_in_seconds"),
    (HasTheHashAsVersion, "test_every_write_gives_a_new_version"),
    (ChangesTheVersionOnReading, "test_reading_leaves_the_version_alone"),
    (FoldsAccents, "test_different_keys_are_different_objects"),
    (IgnoresCase, "test_different_keys_are_different_objects"),
    (HasFoldersOrObjects, "test_an_object_may_have_objects_below_it"),
    (DeletesWhatIsBelow, "test_a_deleted_object_is_missing"),
    (DeletesOnlyOnce, "test_deleting_a_missing_object_is_no_error"),
    (ListsByPrefix, "test_list_compares_by_segments"),
    (ListsThePrefixItself, "test_list_compares_by_segments"),
    (ListsFolderByFolder, "test_list_is_in_order_of_key"),
    (ListsInUtf16, "test_list_is_in_order_of_key"),
    (FailsOnUnknownPrefixes, "test_list_of_an_unknown_prefix_is_empty"),
    (ListsNothingWithoutPrefix, "test_the_empty_prefix_lists_everything"),
    (ListsWithoutSizes, "test_list_tells_key_and_size"),
    (ListsTombstones, "test_list_leaves_out_what_was_deleted"),
    (ListsOnePage, "test_list_does_not_end_after_a_page"),
    (ListsOnlyOnce, "test_a_list_may_be_left_early"),
    (WritesInPlace, "test_readers_never_see_half_a_write"),
    (LeavesHalfWhenCancelled, "test_a_cancelled_write_leaves_the_old_object_or_the_new"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "rule"), TWINS, ids=[kind.__name__ for kind, _ in TWINS])
def test_a_wrong_storage_breaks_exactly_its_rule(kind, rule):
    assert broken_rules(kind) == {rule}


def test_what_only_looks_like_a_storage_is_none():
    broken = broken_rules(Duck)
    assert broken == {"test_it_is_a_storage"}


def test_every_rule_has_a_twin():
    own = {name for name in vars(StorageConformance) if name.startswith("test_")}
    assert own - {"test_it_is_a_storage"} == {rule for _, rule in TWINS}
