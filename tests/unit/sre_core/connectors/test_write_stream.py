"""Writing a stream through a handle: whose time counts, and whose errors are whose."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import Storage
from sre_core.errors import DeadlineError
from tests.unit.sre_core.access.world import A1, World

SHORT = 0.05


async def started(storage: MemoryStorage) -> MemoryStorage:
    await storage.start()
    return storage


async def slow(times: int) -> AsyncGenerator[bytes]:
    for _ in range(times):
        # Longer than the deadline of the whole call.
        async with asyncio.timeout(None):
            waited = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(SHORT * 2, waited.set_result, None)
            await waited
        yield b"x"


async def test_chunks_that_take_longer_than_the_deadline_are_stored() -> None:
    handle = Storage(await started(MemoryStorage(MemoryStorage.settings_type())), A1, World().guard, timeout=SHORT)
    assert (await handle.write_stream("x", slow(2))).size == 2
    assert await handle.read("x") == b"xx"


async def test_what_the_chunks_raise_is_raised_as_it_is_and_nothing_is_stored() -> None:
    async def broken() -> AsyncGenerator[bytes]:
        yield b"x"
        raise ValueError("the source broke")

    handle = Storage(await started(MemoryStorage(MemoryStorage.settings_type())), A1, World().guard, timeout=SHORT)
    with pytest.raises(ValueError, match="the source broke"):
        await handle.write_stream("x", broken())
    assert not await handle.exists("x")


async def test_a_backend_that_hangs_after_the_last_chunk_is_given_up() -> None:
    class Hanging(MemoryStorage):
        async def write_stream(self, key, chunks, **options):
            async for _ in chunks:
                pass
            await asyncio.Event().wait()

    handle = Storage(await started(Hanging(MemoryStorage.settings_type())), A1, World().guard, timeout=SHORT)
    with pytest.raises(DeadlineError):
        await handle.write_stream("x", slow(1))
