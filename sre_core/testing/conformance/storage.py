"""The rules of StorageConnector that hold for every storage, as tests that any of them can run."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import aclosing
from typing import ClassVar

import pytest

from sre_core.connectors.base import Connector
from sre_core.connectors.storage import ObjectInfo, StorageConnector
from sre_core.errors import NotFoundError
from sre_core.testing.conformance.storage_options import StorageOptions
from sre_core.testing.conformance.storage_streams import StorageStreams

__all__ = ["StorageConformance"]

_TOLERANCE = 600.0  # seconds that the clocks of two machines may differ
_MEBIBYTE = 1 << 20


class StorageConformance(StorageStreams, StorageOptions):
    """Subclass it with `make`, as LifecycleConformance tells. Keys are random, so a shared bucket can be used."""

    many: ClassVar[int] = 1050
    """How many objects one test lists: more than the backend gives in one page."""

    # Objects

    def test_it_is_a_storage(self) -> None:
        """It derives from StorageConnector."""
        made: Connector = self.make()
        assert isinstance(made, StorageConnector)

    async def test_reading_a_missing_object_is_not_found(self, storage: StorageConnector) -> None:
        """`read` of what was never written raises NotFoundError."""
        with pytest.raises(NotFoundError):
            await storage.read(self.key("missing"))

    async def test_stat_of_a_missing_object_is_not_found(self, storage: StorageConnector) -> None:
        """`stat` of what was never written raises NotFoundError, also when there are objects below it."""
        await storage.write(self.key("folder/file"), b"1")
        with pytest.raises(NotFoundError):
            await storage.stat(self.key("folder"))

    @pytest.mark.parametrize(
        "data",
        [b"text", b"", b"\x00\xff\r\n\x80{}\n", "\u00e9\u4e16".encode(), bytes(range(256)) * 16384],
        ids=["text", "empty", "binary", "unicode", "four-mebibytes"],
    )
    async def test_an_object_reads_back_byte_for_byte(self, storage: StorageConnector, data: bytes) -> None:
        """`read` gives the bytes that were written, also none at all, and `stat` their number."""
        await storage.write(self.key("object"), data)
        assert await storage.read(self.key("object")) == data
        assert (await storage.stat(self.key("object"))).size == len(data)

    async def test_content_type_and_metadata_come_back_as_they_were_given(self, storage: StorageConnector) -> None:
        """`stat` tells both, whatever characters they have."""
        metadata = {"author": "Zo\u00eb \u4e16\u754c", "Mixed-Case_name": 'a=b; c, "d" 100%', "empty": ""}
        await storage.write(self.key("object"), b"1", content_type="text/csv; charset=utf-8", metadata=metadata)
        found = await storage.stat(self.key("object"))
        assert (found.content_type, dict(found.metadata)) == ("text/csv; charset=utf-8", metadata)

    async def test_without_content_type_and_metadata_there_are_defaults(self, storage: StorageConnector) -> None:
        """They are "application/octet-stream", no metadata, and no expiry."""
        await storage.write(self.key("object"), b"1")
        found = await storage.stat(self.key("object"))
        assert (found.content_type, dict(found.metadata)) == ("application/octet-stream", {})
        assert found.expires is None

    async def test_metadata_do_not_change_with_the_mapping_they_came_from(self, storage: StorageConnector) -> None:
        """What is stored is a copy."""
        metadata = {"state": "written"}
        await storage.write(self.key("object"), b"1", metadata=metadata)
        metadata["state"] = "changed"
        assert dict((await storage.stat(self.key("object"))).metadata) == {"state": "written"}

    async def test_writing_again_replaces_the_bytes(self, storage: StorageConnector) -> None:
        """The later object stays, also when it is shorter."""
        await storage.write(self.key("object"), b"the first one")
        await storage.write(self.key("object"), b"second")
        assert await storage.read(self.key("object")) == b"second"

    async def test_writing_again_replaces_content_type_and_metadata(self, storage: StorageConnector) -> None:
        """Nothing of the old description is left."""
        await storage.write(self.key("object"), b"1", content_type="text/csv", metadata={"a": "1"})
        await storage.write(self.key("object"), b"1", metadata={"b": "2"})
        found = await storage.stat(self.key("object"))
        assert (found.content_type, dict(found.metadata)) == ("application/octet-stream", {"b": "2"})

    async def test_write_returns_what_stat_tells(self, storage: StorageConnector) -> None:
        """Key, size, version, content type and metadata are the same."""
        written = await storage.write(self.key("object"), b"12345", content_type="text/csv", metadata={"a": "1"})
        found = await storage.stat(self.key("object"))
        assert (written.key, found.key) == (self.key("object"), self.key("object"))
        assert _description(written) == _description(found)

    async def test_modified_is_the_time_of_the_write_in_seconds(self, storage: StorageConnector) -> None:
        """It counts from the epoch, by the clock of whichever machine."""
        await storage.write(self.key("object"), b"1")
        modified = (await storage.stat(self.key("object"))).modified
        assert abs(modified - time.time()) < _TOLERANCE, f"modified is {modified!r}, and now is {time.time()!r}"

    async def test_every_write_gives_a_new_version(self, storage: StorageConnector) -> None:
        """Also a write of the same bytes; and no version is empty, which would mean NEW."""
        versions = [(await storage.write(self.key("object"), b"same")).version for _ in range(5)]
        assert len(set(versions)) == 5, f"five writes have the versions {versions}"
        assert all(versions)

    async def test_reading_leaves_the_version_alone(self, storage: StorageConnector) -> None:
        """An object that nobody writes keeps its version."""
        written = await storage.write(self.key("object"), b"1")
        await storage.read(self.key("object"))
        assert [(await storage.stat(self.key("object"))).version for _ in range(2)] == [written.version] * 2

    # Keys

    async def test_different_keys_are_different_objects(self, storage: StorageConnector) -> None:
        """Keys that differ in any byte do, whatever characters they have."""
        names = ["a", "A", "aB", "Ab", "a.b", "a:b", "a b", "a*", "a%", "a%41", "aA", "a_", "[a]", "a?b#c", "a+", "a="]
        names += ["a\u0308", "\u00e4", "\u00c4", "con", "con.txt", ".a", "a.", "a ", "a~1", "x" * 512, "x" * 511 + "y"]
        for name in names:
            await storage.write(self.key(name), name.encode())
        for name in names:
            assert await storage.read(self.key(name)) == name.encode(), f"key {name!r} holds another key's object"
        listed = [info.key async for info in storage.list(self.key(""))]
        assert listed == sorted(self.key(name) for name in names)

    async def test_an_object_may_have_objects_below_it(self, storage: StorageConnector) -> None:
        """ "a", "a/b" and "a/b/c" may all exist, written in any order."""
        for names in (["a", "a/b", "a/b/c"], ["z/y/x", "z/y", "z"]):
            for name in names:
                await storage.write(self.key(name), name.encode())
            assert [await storage.read(self.key(name)) for name in names] == [name.encode() for name in names]

    # Deleting

    async def test_a_deleted_object_is_missing(self, storage: StorageConnector) -> None:
        """After `delete`, it is not found, and no other object is gone."""
        for name in ("object", "object/below", "obj"):
            await storage.write(self.key(name), name.encode())
        await storage.delete(self.key("object"))
        for call in (storage.read, storage.stat):
            with pytest.raises(NotFoundError):
                await call(self.key("object"))
        assert await storage.read(self.key("object/below")) == b"object/below"
        assert await storage.read(self.key("obj")) == b"obj"

    async def test_deleting_a_missing_object_is_no_error(self, storage: StorageConnector) -> None:
        """`delete` of what is not there returns, whether or not there are objects around it."""
        await storage.delete(self.key("missing"))
        await storage.write(self.key("folder/file"), b"1")
        for name in ("folder", "folder/file/below"):
            await storage.delete(self.key(name))
        assert await storage.read(self.key("folder/file")) == b"1"

    # Listing

    async def test_list_compares_by_segments(self, storage: StorageConnector) -> None:
        """ "a" lists what is below "a": neither "ab" nor "a" itself."""
        for name in ("a", "a/b", "a/b/c", "ab", "ab/c", "a.b", "b/a/c"):
            await storage.write(self.key(name), b"1")
        assert await self.listed(storage, "a") == ["a/b", "a/b/c"]
        assert await self.listed(storage, "a/b") == ["a/b/c"]

    async def test_list_is_in_order_of_key(self, storage: StorageConnector) -> None:
        """The order is that of the whole keys as Unicode text, not folder by folder."""
        names = ["a", "a!b", "a-b", "a.b", "a/b", "a/b-c", "a/b/c", "a0", "aB", "ab", "B", "_", "z/z", "10", "9"]
        names += ["\u00e4", "\ufb01", "\U0001f600", "x" * 300 + "/y", "x" * 300 + "-", "x" * 300]
        for name in names:
            await storage.write(self.key(name), b"1")
        assert await self.listed(storage, "") == sorted(names)

    async def test_list_of_an_unknown_prefix_is_empty(self, storage: StorageConnector) -> None:
        """It is no error, also when the prefix is an object or the beginning of a name."""
        await storage.write(self.key("folder/file"), b"1")
        for prefix in ("unknown", "fold", "folder/file", "folder/file/below"):
            assert await self.listed(storage, prefix) == []

    async def test_the_empty_prefix_lists_everything(self, storage: StorageConnector) -> None:
        """All homes are below it."""
        wanted = {self.key(name) for name in ("a", "b/c")}
        for key in wanted:
            await storage.write(key, b"1")
        async with aclosing(storage.list("")) as everything:
            async for info in everything:
                wanted.discard(info.key)
                # A shared bucket may hold more than anybody wants to see.
                if not wanted:
                    break
        assert not wanted, f"the list lacks {sorted(wanted)}"

    async def test_list_tells_key_and_size(self, storage: StorageConnector) -> None:
        """Of each object, as ObjectInfo."""
        await storage.write(self.key("a/b"), b"12345")
        found = [info async for info in storage.list(self.key("a"))]
        assert [type(info) for info in found] == [ObjectInfo]
        assert [(info.key, info.size) for info in found] == [(self.key("a/b"), 5)]

    async def test_list_leaves_out_what_was_deleted(self, storage: StorageConnector) -> None:
        """And keeps the rest."""
        for name in ("a/1", "a/2", "a/3"):
            await storage.write(self.key(name), b"1")
        await storage.delete(self.key("a/2"))
        assert await self.listed(storage, "a") == ["a/1", "a/3"]

    async def test_list_does_not_end_after_a_page(self, storage: StorageConnector) -> None:
        """Thousands of objects are listed like one."""
        names = [f"page/{number:05}" for number in range(self.many)]
        for begin in range(0, len(names), 50):
            await asyncio.gather(*(storage.write(self.key(name), b"") for name in names[begin : begin + 50]))
        assert await self.listed(storage, "page") == names

    async def test_a_list_may_be_left_early(self, storage: StorageConnector) -> None:
        """Its backend is free again for the next call."""
        for name in ("a/1", "a/2"):
            await storage.write(self.key(name), b"1")
        async with aclosing(storage.list(self.key("a"))) as items:
            assert (await anext(items)).key == self.key("a/1")
        assert await self.listed(storage, "a") == ["a/1", "a/2"]

    # All or nothing

    async def test_readers_never_see_half_a_write(self, storage: StorageConnector) -> None:
        """While several write and several read one object, each reader gets one that somebody wrote."""
        key = self.key("object")
        await storage.write(key, b"0" * _MEBIBYTE)

        async def write(digit: int) -> None:
            await storage.write(key, str(digit).encode() * (_MEBIBYTE + digit))

        async def read() -> None:
            data = await storage.read(key)
            digit = int(data[:1])
            assert data == str(digit).encode() * (_MEBIBYTE + digit), "a reader saw parts of several writes"

        async with asyncio.timeout(self.patience):
            await asyncio.gather(*(call for digit in range(10) for call in (write(digit), read())))

    async def test_a_cancelled_write_leaves_the_old_object_or_the_new(self, storage: StorageConnector) -> None:
        """Wherever it is cancelled."""
        key, whole = self.key("object"), (b"0" * _MEBIBYTE, b"1" * _MEBIBYTE)
        for turns in range(8):
            await storage.write(key, whole[0])
            writing = asyncio.create_task(storage.write(key, whole[1]))
            for _ in range(turns):
                await asyncio.sleep(0)
            writing.cancel()
            await asyncio.wait({writing}, timeout=self.patience)
            assert await storage.read(key) in whole, "a cancelled write left half an object"


def _description(info: ObjectInfo) -> tuple[str, int, str, str, Mapping[str, str]]:
    return info.key, info.size, info.version, info.content_type, dict(info.metadata)
