"""The rules of a storage that declares "stream"."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import pytest

from sre_core.connectors.storage import NEW, StorageConnector
from sre_core.errors import ConnectorError, NotFoundError, UnsupportedError
from sre_core.testing.conformance.storage_rules import StorageRules

__all__ = ["StorageStreams"]

# More than cloud stores take in one piece, and no multiple of anything.
_LARGE = (9 << 20) + 17


class _BrokenError(Exception):
    """Raised by what a storage reads from."""


class StorageStreams(StorageRules):
    """Part of StorageConformance, which is the class to subclass."""

    async def test_without_the_capability_streams_are_unsupported(self, storage: StorageConnector) -> None:
        """Declared, they work; not declared, both ways raise UnsupportedError."""
        await storage.write(self.key("object"), b"1")
        if "stream" in storage.capabilities:
            await storage.write_stream(self.key("object"), _pieces(b"2"))
            assert await _joined(storage.read_stream(self.key("object"))) == b"2"
            return
        with pytest.raises(UnsupportedError):
            await _joined(storage.read_stream(self.key("object")))
        with pytest.raises(UnsupportedError):
            await storage.write_stream(self.key("object"), _pieces(b"2"))

    @pytest.mark.parametrize(
        "pieces",
        [[], [b""], [b"one"], [b"", b"a", b"", b"bc", b"\x00\n\xff"], [b"x" * 1000] * 3000],
        ids=["none", "empty", "one", "small", "many"],
    )
    async def test_a_streamed_object_is_the_sum_of_its_pieces(
        self, storage: StorageConnector, pieces: list[bytes]
    ) -> None:
        """However it is read; and without any piece it is an empty object."""
        if "stream" not in storage.capabilities:
            return
        written = await storage.write_stream(self.key("object"), _pieces(*pieces))
        whole = b"".join(pieces)
        assert written.size == len(whole)
        assert await storage.read(self.key("object")) == whole
        assert await _joined(storage.read_stream(self.key("object"))) == whole

    async def test_a_large_object_streams_both_ways(self, storage: StorageConnector) -> None:
        """It comes back whole, and in more than one piece."""
        if "stream" not in storage.capabilities:
            return
        block = bytes(range(256)) * 256
        whole = (block * (_LARGE // len(block) + 1))[:_LARGE]
        await storage.write_stream(
            self.key("object"), _pieces(*(whole[at : at + 300_007] for at in range(0, _LARGE, 300_007)))
        )
        async with aclosing(storage.read_stream(self.key("object"))) as items:
            pieces = [piece async for piece in items]
        assert len(pieces) > 1, "nine mebibytes came in one piece"
        assert b"".join(pieces) == whole

    async def test_a_streamed_write_keeps_content_type_and_metadata(self, storage: StorageConnector) -> None:
        """And replaces those that were there."""
        if "stream" not in storage.capabilities:
            return
        await storage.write(self.key("object"), b"old", content_type="text/plain", metadata={"a": "1"})
        await storage.write_stream(self.key("object"), _pieces(b"1"), content_type="text/csv", metadata={"b": "2"})
        found = await storage.stat(self.key("object"))
        assert (found.content_type, dict(found.metadata), found.size) == ("text/csv", {"b": "2"}, 1)

    async def test_a_streamed_write_gives_a_new_version(self, storage: StorageConnector) -> None:
        """The one that `stat` tells afterwards."""
        if "stream" not in storage.capabilities:
            return
        first = await storage.write(self.key("object"), b"1")
        second = await storage.write_stream(self.key("object"), _pieces(b"1"))
        assert second.version not in {first.version, NEW}
        assert (await storage.stat(self.key("object"))).version == second.version

    async def test_a_streamed_write_is_seen_when_it_is_done(self, storage: StorageConnector) -> None:
        """Until then the old object is there, or none."""
        if "stream" not in storage.capabilities:
            return
        await storage.write(self.key("old"), b"old")

        async def watched(name: str) -> AsyncGenerator[bytes]:
            for piece in (b"x" * _LARGE, b"y"):
                yield piece
                if name == "old":
                    assert await storage.read(self.key("old")) == b"old", "half a write is seen"
                else:
                    with pytest.raises(NotFoundError):
                        await storage.stat(self.key("new"))

        for name in ("old", "new"):
            await storage.write_stream(self.key(name), watched(name))
            assert await storage.read(self.key(name)) == b"x" * _LARGE + b"y"

    async def test_nothing_is_stored_when_the_pieces_raise(self, storage: StorageConnector) -> None:
        """The old object stays, or none comes to be; the error is passed on."""
        if "stream" not in storage.capabilities:
            return
        await storage.write(self.key("old"), b"old", metadata={"a": "1"})

        async def broken() -> AsyncGenerator[bytes]:
            yield b"x" * _LARGE
            raise _BrokenError

        for name in ("old", "new"):
            with pytest.raises((_BrokenError, ConnectorError)):
                await storage.write_stream(self.key(name), broken())
        assert await storage.read(self.key("old")) == b"old"
        assert dict((await storage.stat(self.key("old"))).metadata) == {"a": "1"}
        assert await self.listed(storage, "") == ["old"]

    async def test_nothing_is_stored_when_a_streamed_write_is_cancelled(self, storage: StorageConnector) -> None:
        """While it waits for a piece, which never comes."""
        if "stream" not in storage.capabilities:
            return
        await storage.write(self.key("old"), b"old")
        for name in ("old", "new"):
            waiting = asyncio.Event()

            async def endless(waiting: asyncio.Event = waiting) -> AsyncGenerator[bytes]:
                yield b"x" * _LARGE
                waiting.set()
                await asyncio.Event().wait()

            writing = asyncio.create_task(storage.write_stream(self.key(name), endless()))
            async with asyncio.timeout(self.patience):
                await waiting.wait()
                writing.cancel()
                await asyncio.wait({writing})
            assert writing.cancelled(), "a cancelled streamed write did not raise CancelledError"
        assert await storage.read(self.key("old")) == b"old"
        assert await self.listed(storage, "") == ["old"]

    async def test_reading_a_missing_object_in_pieces_is_not_found(self, storage: StorageConnector) -> None:
        """The first piece raises NotFoundError."""
        if "stream" not in storage.capabilities:
            return
        with pytest.raises(NotFoundError):
            await _joined(storage.read_stream(self.key("missing")))

    async def test_pieces_that_are_read_belong_to_one_version(self, storage: StorageConnector) -> None:
        """An object that is replaced while it is read gives the old bytes, or the new, or an error; no mixture."""
        if "stream" not in storage.capabilities:
            return
        old, new = b"0" * _LARGE, b"1" * _LARGE
        await storage.write(self.key("object"), old)
        read = bytearray()
        with suppress(ConnectorError):
            async with aclosing(storage.read_stream(self.key("object"))) as items:
                async for piece in items:
                    if not read:
                        await storage.write(self.key("object"), new)
                    read += piece
            assert bytes(read) in (old, new), "the pieces are of two versions"

    async def test_reading_in_pieces_may_be_left_early(self, storage: StorageConnector) -> None:
        """Its backend is free again for the next call."""
        if "stream" not in storage.capabilities:
            return
        await storage.write(self.key("object"), b"x" * _LARGE)
        for _ in range(3):
            async with aclosing(storage.read_stream(self.key("object"))) as items:
                assert (await anext(items)).startswith(b"x")
        assert len(await storage.read(self.key("object"))) == _LARGE


async def _pieces(*pieces: bytes) -> AsyncGenerator[bytes]:
    for piece in pieces:
        yield piece


async def _joined(items: AsyncGenerator[bytes]) -> bytes:
    async with aclosing(items):
        return b"".join([piece async for piece in items])
