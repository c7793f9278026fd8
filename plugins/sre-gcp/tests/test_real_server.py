"""What a storage goes through with a real server: crowds, rivals, crashes, cut and silent connections, long streams."""

import asyncio
import math
import time
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from sre_core.access.candidate import Candidate
from sre_core.config import load
from sre_core.connectors.storage import NEW
from sre_core.errors import ConfigError, ConflictError, DeadlineError, NotFoundError, UnavailableError
from sre_core.runtime import Runtime
from sre_core.testing.proxy import FaultProxy
from sre_gcp import GcsSettings, GcsStorage

from .gcs_server import Gcs  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_PIECE = 256 * 1024


@asynccontextmanager
async def started(url: str, bucket: str, **other: Any) -> AsyncIterator[GcsStorage]:
    settings = {"anonymous": True, "piece_bytes": _PIECE, "retries": 0, **other}
    connector = GcsStorage(GcsSettings(bucket=bucket, endpoint=url, **settings))
    try:
        await connector.start()
        yield connector
    finally:
        await connector.stop()


@pytest.fixture
def lasting(tmp_path: Path) -> Iterator[Gcs]:
    """A server of its own that keeps objects in files, to be killed."""
    server = Gcs(tmp_path, backend="filesystem")
    with server.process:
        yield server


async def blocks(count: int, size: int = _PIECE) -> AsyncGenerator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * size


async def test_fifty_writes_at_once_are_all_there(gcs: Gcs) -> None:
    async with started(gcs.url, gcs.bucket()) as storage:
        names = [f"a/{number:02}" for number in range(50)]
        await asyncio.gather(*(storage.write(name, name.encode()) for name in names))
        assert [info.key async for info in storage.list("a")] == names
        assert await asyncio.gather(*map(storage.read, names)) == [name.encode() for name in names]


async def test_two_runtimes_that_count_in_one_object_lose_nothing(gcs: Gcs, tmp_path: Path) -> None:
    entry = {"use": "gcs", "bucket": gcs.bucket(), "endpoint": gcs.url, "anonymous": True}
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


async def test_a_missing_bucket_is_not_found_at_the_start(gcs: Gcs) -> None:
    with pytest.raises(NotFoundError, match="there is no bucket 'nobodys-bucket'"):
        async with started(gcs.url, "nobodys-bucket"):
            pass


async def test_a_prefix_keeps_two_storages_in_one_bucket_apart(gcs: Gcs) -> None:
    bucket = gcs.bucket()
    async with started(gcs.url, bucket, prefix="one") as one, started(gcs.url, bucket, prefix="o") as other:
        await one.write("a", b"1")
        await other.write("a", b"2")
        assert await one.read("a") == b"1"
        assert [info.key async for info in other.list("")] == ["a"]
    assert gcs.names(bucket) == ["o/a", "one/a"]


async def test_a_download_survives_a_restart_of_the_server(lasting: Gcs) -> None:
    async with started(lasting.url, lasting.bucket(), retries=5) as storage:
        await storage.write_stream("a", blocks(64))
        read = bytearray()
        async with aclosing(storage.read_stream("a")) as pieces:
            async for piece in pieces:
                if not read:
                    await to_thread.run_sync(lasting.process.restart)
                read += piece
        assert bytes(read) == b"".join([block async for block in blocks(64)])


async def test_an_upload_ends_with_the_server_and_leaves_the_old_object(lasting: Gcs) -> None:
    async def killing() -> AsyncGenerator[bytes]:
        async for block in blocks(4):
            yield block
        await to_thread.run_sync(lasting.process.restart)
        async for block in blocks(4):
            yield block

    bucket = lasting.bucket()
    async with started(lasting.url, bucket, retries=2) as storage:
        await storage.write("old", b"old")
        for name in ("old", "new"):
            with pytest.raises(UnavailableError):
                await storage.write_stream(name, killing())
        assert await storage.read("old") == b"old"
        assert [info.key async for info in storage.list("")] == ["old"]
        await storage.write_stream("new", blocks(4))
        assert (await storage.stat("new")).size == 4 * _PIECE
    assert lasting.names(bucket) == ["new", "old"]


async def test_a_server_that_is_down_is_unavailable_and_is_used_again_once_it_is_up(lasting: Gcs) -> None:
    async with started(lasting.url, lasting.bucket()) as storage:
        await storage.write("a", b"1")
        await to_thread.run_sync(lasting.process.kill)
        with pytest.raises(UnavailableError, match=str(lasting.port)):
            await storage.read("a")
        await to_thread.run_sync(lasting.process.start)
        assert await storage.read("a") == b"1"


async def test_connections_that_are_cut_are_replaced(gcs: Gcs) -> None:
    async with (
        FaultProxy.before(gcs.port) as proxy,
        started(f"http://127.0.0.1:{proxy.port}", gcs.bucket(), retries=3) as storage,
    ):

        async def cutting() -> AsyncGenerator[bytes]:
            async for block in blocks(8):
                yield block
                proxy.break_off()

        whole = b"".join([block async for block in blocks(8)])
        await storage.write_stream("a", cutting())
        assert await storage.read("a") == whole
        read = bytearray()
        async with aclosing(storage.read_stream("a")) as pieces:
            async for piece in pieces:
                read += piece
                proxy.break_off()
        assert bytes(read) == whole


async def test_a_silent_server_is_given_up_and_used_again_when_it_speaks(gcs: Gcs) -> None:
    async with (
        FaultProxy.before(gcs.port) as proxy,
        started(f"http://127.0.0.1:{proxy.port}", gcs.bucket(), timeout=5) as storage,
    ):
        await storage.write("a", b"1")
        proxy.silent = True
        calls = (storage.read("a"), storage.write("a", b"2"), storage.stat("a"))
        errors = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(error) for error in errors] == [DeadlineError] * 3
        proxy.silent = False
        proxy.break_off()
        assert await storage.read("a") == b"1"


async def test_a_call_to_a_silent_server_can_be_cancelled_and_leaves_no_connection_open(gcs: Gcs) -> None:
    async with (
        FaultProxy.before(gcs.port) as proxy,
        started(f"http://127.0.0.1:{proxy.port}", gcs.bucket()) as storage,
    ):
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


async def test_a_slow_server_is_waited_for_while_it_goes_on(gcs: Gcs) -> None:
    async with (
        FaultProxy.before(gcs.port) as proxy,
        started(f"http://127.0.0.1:{proxy.port}", gcs.bucket(), timeout=2) as storage,
    ):
        proxy.delay = 0.1
        await storage.write("whole", b"1")
        await storage.write_stream("pieces", blocks(8))
        begun = time.monotonic()
        async with aclosing(storage.read_stream("pieces")) as pieces:
            read = b"".join([piece async for piece in pieces])
        assert time.monotonic() - begun > 2, "it was not slower than the time that a server may be silent"
        assert read == b"".join([block async for block in blocks(8)])
        assert await storage.read("whole") == b"1"
        assert [(info.key, info.size) async for info in storage.list("")] == [("pieces", 8 * _PIECE), ("whole", 1)]


async def test_a_long_stream_takes_little_memory_both_ways(gcs: Gcs) -> None:
    async with started(gcs.url, gcs.bucket(), piece_bytes=1 << 20) as storage:
        await storage.write("warm", b"up")
        tracemalloc.start()
        try:
            await storage.write_stream("a", blocks(192))
            size = 0
            async with aclosing(storage.read_stream("a")) as pieces:
                async for piece in pieces:
                    size += len(piece)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert size == 192 * _PIECE
    assert peak < 12 << 20, f"48 MiB took {peak >> 20} MiB"


async def test_a_link_ends_with_its_object(gcs: Gcs, key: str) -> None:
    async with started(gcs.url, gcs.bucket(), anonymous=False, key=key) as storage:
        await storage.write("a", b"1")
        for seconds in (0, 8 * 86400):
            with pytest.raises(ConfigError, match="a link cannot live"):
                await storage.url("a", seconds)
        await storage.expire("a", 100)
        assert 90 < int((await storage.url("a", 3600)).split("X-Goog-Expires=")[1].split("&")[0]) <= 100
        with pytest.raises(NotFoundError):
            await storage.url("missing", 60)


@pytest.mark.parametrize("seconds", [math.inf, math.nan])
async def test_an_expiry_that_is_no_time_is_refused(gcs: Gcs, key: str, seconds: float) -> None:
    async with started(gcs.url, gcs.bucket(), anonymous=False, key=key) as storage:
        await storage.write("a", b"1")
        with pytest.raises(ConfigError, match="cannot expire"):
            await storage.expire("a", seconds)
        with pytest.raises(ConfigError, match="a link cannot live"):
            await storage.url("a", seconds)


async def test_an_object_may_expire_after_the_last_year_that_has_a_date(gcs: Gcs) -> None:
    async with started(gcs.url, gcs.bucket()) as storage:
        await storage.write("a", b"1")
        await storage.expire("a", 1e12)
        assert (await storage.stat("a")).expires == pytest.approx(1e12 + time.time(), abs=60)


async def test_what_expires_carries_a_time_for_the_life_cycle_of_the_bucket(gcs: Gcs) -> None:
    bucket = gcs.bucket()
    async with started(gcs.url, bucket) as storage:
        await storage.write("a", b"1")
        assert "customTime" not in gcs.described(bucket, "a")
        await storage.expire("a", 3600)
        first = gcs.described(bucket, "a")["customTime"]
        await storage.expire("a", 60)
        assert gcs.described(bucket, "a")["customTime"] == first, "Google lets no custom time be set back"
        await storage.expire("a", None)
        assert gcs.described(bucket, "a")["customTime"].startswith("9999-12-31")
