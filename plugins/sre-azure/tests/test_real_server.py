"""What a storage goes through with a real server: crowds, rivals, crashes, cut and silent connections, long streams."""

import asyncio
import time
import tracemalloc
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import pytest
from anyio import to_thread

from sre_core.access.candidate import Candidate
from sre_core.config import load
from sre_core.connectors.storage import NEW
from sre_core.errors import (
    ConflictError,
    DeadlineError,
    NotFoundError,
    UnavailableError,
)
from sre_core.runtime import Runtime
from sre_core.testing.proxy import FaultProxy

from .azurite import ACCOUNT, KEY, Azurite  # noqa: TID252 -- the folder of tests is no package
from .storages import PIECE, blocks, started  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def test_fifty_writes_at_once_are_all_there(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container) as storage:
        keys = [f"a/{number:02}" for number in range(50)]
        await asyncio.gather(*(storage.write(key, key.encode()) for key in keys))
        assert [info.key async for info in storage.list("a")] == keys
        assert await asyncio.gather(*map(storage.read, keys)) == [key.encode() for key in keys]


async def test_two_runtimes_that_count_in_one_object_lose_nothing(
    azurite: Azurite, container: str, tmp_path: Path
) -> None:
    entry = {"use": "azure", "container": container, "account": ACCOUNT, "account_key": KEY, "endpoint": azurite.url}
    config = load(tmp_path, {}, {"data": str(tmp_path), "connectors": {"storage": {"default": entry}}}).config

    async def count(runtime: Runtime) -> None:
        handle = runtime.storage(Candidate.agent("counter"))
        for _ in range(10):
            while True:
                try:
                    version = (await handle.stat("count")).version
                    number = int(await handle.read_text("count"))
                except NotFoundError:
                    version, number = NEW, 0
                try:
                    await handle.write("count", str(number + 1), if_version=version)
                except ConflictError:
                    continue
                break

    async with Runtime(config) as one, Runtime(config) as other:
        await asyncio.gather(count(one), count(other))
        assert await one.storage(Candidate.agent("counter")).read_text("count") == "20"


async def test_two_writers_of_one_large_object_do_not_mix_their_blocks(azurite: Azurite, container: str) -> None:
    async def one_letter(letter: bytes) -> AsyncGenerator[bytes]:
        for _ in range(8):
            yield letter * PIECE
            await asyncio.sleep(0)

    async with started(azurite.url, container) as storage:
        calls = [storage.write_stream("a", one_letter(letter)) for letter in (b"x", b"y")]
        results = await asyncio.gather(*calls, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        assert len(failed) < 2
        assert all(isinstance(error, ConflictError) for error in failed)
        data = await storage.read("a")
        assert data in (b"x" * 8 * PIECE, b"y" * 8 * PIECE)


async def test_writes_of_one_large_object_all_succeed(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container) as storage:
        wholes = [letter * (8 * PIECE) for letter in (b"x", b"y", b"z")]
        written = await asyncio.gather(*(storage.write("a", whole) for whole in wholes))
        assert len({info.version for info in written}) == 3
        assert await storage.read("a") in wholes


async def test_a_download_survives_a_restart_of_the_server(own: Azurite) -> None:
    container = await to_thread.run_sync(own.container)
    async with started(own.url, container, retries=3) as storage:
        await storage.write_stream("a", blocks(16))
        read = bytearray()
        async with aclosing(storage.read_stream("a")) as pieces:
            async for piece in pieces:
                if not read:
                    # It writes down what it has when it is asked to end, and not at each change.
                    await to_thread.run_sync(own.process.stop)
                    await to_thread.run_sync(own.process.start)
                read += piece
        assert bytes(read) == b"".join([block async for block in blocks(16)])


async def test_an_upload_survives_a_restart_of_the_server_or_leaves_the_old_object(own: Azurite) -> None:
    async def stopping() -> AsyncGenerator[bytes]:
        async for block in blocks(4):
            yield block
        await to_thread.run_sync(own.process.stop)
        await to_thread.run_sync(own.process.start)
        async for block in blocks(4):
            yield block

    container = await to_thread.run_sync(own.container)
    async with started(own.url, container, retries=3) as storage:
        await storage.write("old", b"old")
        written = await storage.write_stream("new", stopping())
        assert written.size == len(await storage.read("new")) == 8 * PIECE
        assert await storage.read("old") == b"old"


async def test_an_upload_ends_with_the_server_and_leaves_the_old_object(own: Azurite) -> None:
    async def stopping() -> AsyncGenerator[bytes]:
        async for block in blocks(4):
            yield block
        await to_thread.run_sync(own.process.stop)
        async for block in blocks(4):
            yield block

    container = await to_thread.run_sync(own.container)
    async with started(own.url, container) as storage:
        await storage.write("old", b"old")
        with pytest.raises(UnavailableError, match=str(own.port)):
            await storage.write_stream("old", stopping())
        with pytest.raises(UnavailableError):
            await storage.read("old")
        await to_thread.run_sync(own.process.start)
        assert await storage.read("old") == b"old"
        assert [info.key async for info in storage.list("")] == ["old"]


async def test_a_server_that_is_killed_is_unavailable_and_is_used_again_once_it_is_up(own: Azurite) -> None:
    container = await to_thread.run_sync(own.container)
    async with started(own.url, container) as storage:
        await storage.write("a", b"1")
        await to_thread.run_sync(own.process.kill)
        for call in (storage.read("a"), storage.write("a", b"2"), storage.ping()):
            with pytest.raises(UnavailableError, match=str(own.port)):
                await call
        await to_thread.run_sync(own.process.start)
        # It forgets what it was told in its last seconds, and so perhaps its container.
        async with own.service() as service:
            if not await service.get_container_client(container).exists():
                await service.create_container(container)
        await storage.write("a", b"2")
        assert await storage.read("a") == b"2"


async def test_connections_that_are_cut_are_replaced(azurite: Azurite, container: str) -> None:
    async with FaultProxy.before(azurite.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/{ACCOUNT}"
        async with started(url, container, retries=3) as storage:

            async def cutting() -> AsyncGenerator[bytes]:
                async for block in blocks(4):
                    yield block
                    proxy.break_off()

            whole = b"".join([block async for block in blocks(4)])
            await storage.write_stream("a", cutting())
            read = bytearray()
            async with aclosing(storage.read_stream("a")) as pieces:
                async for piece in pieces:
                    read += piece
                    proxy.break_off()
            assert bytes(read) == whole


async def test_a_silent_server_is_given_up_and_used_again_when_it_speaks(azurite: Azurite, container: str) -> None:
    async with FaultProxy.before(azurite.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/{ACCOUNT}"
        async with started(url, container, timeout=5) as storage:
            await storage.write("a", b"1")
            proxy.silent = True
            calls = (storage.read("a"), storage.write("a", b"2"), storage.stat("a"))
            errors = await asyncio.gather(*calls, return_exceptions=True)
            assert [type(error) for error in errors] == [DeadlineError] * 3
            proxy.silent = False
            proxy.break_off()
            assert await storage.read("a") == b"1"


async def test_calls_to_a_silent_server_can_be_cancelled_and_leave_no_connection_open(
    azurite: Azurite, container: str
) -> None:
    async with FaultProxy.before(azurite.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/{ACCOUNT}"
        async with started(url, container) as storage:
            await storage.write("a", b"1")
            proxy.silent = True
            calls = [asyncio.create_task(storage.read("a")) for _ in range(20)]
            async with asyncio.timeout(120):
                await proxy.wait_until_open(20)
                for call in calls:
                    call.cancel()
                await asyncio.wait(calls)
                await proxy.wait_until_open(0)
            proxy.silent = False
            assert await storage.read("a") == b"1"


async def test_a_slow_server_is_waited_for_while_it_goes_on(azurite: Azurite, container: str) -> None:
    async with FaultProxy.before(azurite.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/{ACCOUNT}"
        async with started(url, container, timeout=2, piece_bytes=4 << 20) as storage:
            proxy.delay = 0.1
            await storage.write("whole", b"1")
            await storage.write_stream("pieces", blocks(40))
            begun = time.monotonic()
            async with aclosing(storage.read_stream("pieces")) as pieces:
                read = b"".join([piece async for piece in pieces])
            assert time.monotonic() - begun > 2, "it was not slower than the time that a server may be silent"
            assert read == b"".join([block async for block in blocks(40)])
            assert await storage.read("whole") == b"1"
            assert [(info.key, info.size) async for info in storage.list("")] == [("pieces", 40 * PIECE), ("whole", 1)]


async def test_a_long_stream_takes_little_memory_both_ways(azurite: Azurite, container: str) -> None:
    async with started(azurite.url, container, piece_bytes=1 << 20) as storage:
        await storage.write("warm", b"up")
        tracemalloc.start()
        try:
            await storage.write_stream("a", blocks(48, 1 << 20))
            size = 0
            async with aclosing(storage.read_stream("a")) as pieces:
                async for piece in pieces:
                    size += len(piece)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert size == 48 << 20
    assert peak < 12 << 20, f"48 MiB took {peak >> 20} MiB"
