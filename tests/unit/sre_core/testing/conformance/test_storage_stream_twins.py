"""Each rule of a storage that streams, and a storage that breaks it."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest

from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.errors import ConnectorError, NotFoundError
from sre_core.testing.conformance.storage_streams import StorageStreams
from tests.unit.sre_core.testing.conformance.storage_twins import Bare, broken_rules


class StreamsWithoutSayingSo(Bare):
    read_stream = MemoryStorage.read_stream


class StopsAtAnEmptyPiece(MemoryStorage):
    async def write_stream(self, key, chunks, **rest):
        async def filled():
            async for piece in chunks:
                if not piece:
                    return
                yield piece

        return await super().write_stream(key, filled(), **rest)


class ReadsInOnePiece(MemoryStorage):
    async def read_stream(self, key):
        yield await self.read(key)


class StreamsWithoutMetadata(MemoryStorage):
    async def write_stream(self, key, chunks, *, metadata=None, **rest):
        return await super().write_stream(key, chunks, **rest)


class KeepsTheVersion(MemoryStorage):
    async def write_stream(self, key, chunks, **rest):
        old = self._find(key)
        info = await super().write_stream(key, chunks, **rest)
        if old is not None:
            info = replace(info, version=old[1].version)
            self._objects[key] = self._objects[key][0], info
        return info


class ShowsWhatIsUnfinished(MemoryStorage):
    async def write_stream(self, key, chunks, **rest):
        old, gathered = self._find(key), b""
        await self.write(key, b"", **rest)
        try:
            async for piece in chunks:
                gathered += piece
                if len(piece) > 1000:
                    await self.write(key, gathered, **rest)
        except BaseException:
            del self._objects[key]
            if old is not None:
                self._objects[key] = old
            raise
        return await self.write(key, gathered, **rest)


class StoresWhatItGot(MemoryStorage):
    after: type[BaseException] = Exception

    async def write_stream(self, key, chunks, **rest):
        gathered = b""
        try:
            async for piece in chunks:
                gathered += piece
        except self.after:
            await self.write(key, gathered, **rest)
            raise
        return await self.write(key, gathered, **rest)


class StoresWhatItGotBeforeItWasCancelled(StoresWhatItGot):
    after = asyncio.CancelledError


class SwallowsCancellation(MemoryStorage):
    async def write_stream(self, key, chunks, **rest):
        with suppress(asyncio.CancelledError):
            return await super().write_stream(key, chunks, **rest)


class ReadsMissingAsNoPieces(MemoryStorage):
    async def read_stream(self, key):
        if not key.endswith("/missing"):
            async for piece in super().read_stream(key):
                yield piece


class ReadsRangesOfWhateverIsThere(MemoryStorage):
    async def read_stream(self, key):
        for begin in range(0, max(1, len(await self.read(key))), 1 << 20):
            yield (await self.read(key))[begin : begin + (1 << 20)]


class ReadsOneAtATime(MemoryStorage):
    busy = False

    async def read_stream(self, key):
        if self.busy:
            raise ConnectorError("the only connection is in use")
        found = self._find(key)
        if found is None:
            raise NotFoundError(f"there is no object {key!r}")
        self.busy = True
        async for piece in super().read_stream(key):
            yield piece
        self.busy = False


TWINS = [
    (StreamsWithoutSayingSo, "test_without_the_capability_streams_are_unsupported"),
    (StopsAtAnEmptyPiece, "test_a_streamed_object_is_the_sum_of_its_pieces"),
    (ReadsInOnePiece, "test_a_large_object_streams_both_ways"),
    (StreamsWithoutMetadata, "test_a_streamed_write_keeps_content_type_and_metadata"),
    (KeepsTheVersion, "test_a_streamed_write_gives_a_new_version"),
    (ShowsWhatIsUnfinished, "test_a_streamed_write_is_seen_when_it_is_done"),
    (StoresWhatItGot, "test_nothing_is_stored_when_the_pieces_raise"),
    (StoresWhatItGotBeforeItWasCancelled, "test_nothing_is_stored_when_a_streamed_write_is_cancelled"),
    (SwallowsCancellation, "test_nothing_is_stored_when_a_streamed_write_is_cancelled"),
    (ReadsMissingAsNoPieces, "test_reading_a_missing_object_in_pieces_is_not_found"),
    (ReadsRangesOfWhateverIsThere, "test_pieces_that_are_read_belong_to_one_version"),
    (ReadsOneAtATime, "test_reading_in_pieces_may_be_left_early"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "rule"), TWINS, ids=[kind.__name__ for kind, _ in TWINS])
def test_a_wrong_storage_breaks_exactly_its_rule(kind, rule):
    assert broken_rules(kind) == {rule}


def test_every_rule_has_a_twin():
    own = {name for name in vars(StorageStreams) if name.startswith("test_")}
    assert own == {rule for _, rule in TWINS}
