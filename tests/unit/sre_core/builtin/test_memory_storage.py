"""MemoryStorage keeps the rules of a storage."""

import pytest

from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import Settings
from sre_core.errors import ConfigError
from sre_core.testing.conformance.storage import StorageConformance


class TestMemoryStorage(StorageConformance):
    def make(self):
        return MemoryStorage(Settings())


async def test_two_memory_storages_share_nothing():
    one, other = MemoryStorage(Settings()), MemoryStorage(Settings())
    await one.write("a", b"1")
    assert [info.key async for info in other.list("")] == []


async def test_what_was_stored_outlives_stop_and_start():
    storage = MemoryStorage(Settings())
    await storage.write("a", b"1")
    await storage.stop()
    await storage.start()
    assert await storage.read("a") == b"1"


async def test_metadata_that_a_caller_changes_are_its_own():
    storage = MemoryStorage(Settings())
    await storage.write("a", b"1", metadata={"state": "written"})
    (await storage.stat("a")).metadata["state"] = "changed"  # type: ignore[index]
    assert (await storage.stat("a")).metadata == {"state": "written"}


@pytest.mark.parametrize("key", ["", "a/../b", "..", "a//b", "/a", "a/", "./a", "a\0b", "\ud800"])
async def test_a_key_that_could_mean_another_place_is_refused(key):
    storage = MemoryStorage(Settings())
    for call in (storage.read, storage.stat, storage.delete, lambda key: storage.write(key, b"")):
        with pytest.raises(ConfigError, match="illegal key"):
            await call(key)
