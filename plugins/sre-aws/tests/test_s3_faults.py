"""Connections that break, servers that die, and what is announced and does not come."""

import asyncio
import secrets as token
import tracemalloc
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from sre_aws import S3Storage
from sre_aws.s3 import writing
from sre_core.errors import ConflictError, DeadlineError, NotFoundError, UnavailableError
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_core.testing.servers import ServerProcess

from .aws_server import Moto, begun, error_reply, s3  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

_MIB = 1 << 20
_DATA = bytes(range(256)) * (8 * _MIB // 256)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def home() -> str:
    """A folder of the bucket that only this test uses."""
    return uuid.uuid4().hex


@pytest.fixture
async def proxy(moto: Moto) -> AsyncIterator[FaultProxy]:
    async with FaultProxy.before(moto.port) as running:
        yield running


@pytest.fixture
async def direct(moto: Moto, home: str) -> AsyncIterator[S3Storage]:
    """A storage that goes past the proxy."""
    started = moto.s3(prefix=home)
    await started.start()
    yield started
    await started.stop()


async def _through(proxy: FaultProxy, home: str, **more: Any) -> S3Storage:
    storage = s3(f"http://127.0.0.1:{proxy.port}", prefix=home, **more)
    await storage.start()
    return storage


# Reads that are cut


async def test_a_read_that_is_cut_goes_on_where_it_was(proxy: FaultProxy, direct: S3Storage, home: str) -> None:
    await direct.write("agent/a/large", _DATA)
    storage = await _through(proxy, home, retries=3)
    proxy.cut_after = 3 * _MIB
    async with aclosing(storage.read_stream("agent/a/large")) as pieces:
        assert b"".join([piece async for piece in pieces]) == _DATA
    assert await storage.read("agent/a/large") == _DATA
    await storage.stop()


async def test_a_read_that_is_cut_again_and_again_fails(proxy: FaultProxy, direct: S3Storage, home: str) -> None:
    await direct.write("agent/a/large", _DATA)
    for retries in (0, 1):
        storage = await _through(proxy, home, retries=retries)
        proxy.cut_after = 3 * _MIB
        with pytest.raises(UnavailableError, match="agent/a/large"):
            await storage.read("agent/a/large")
        proxy.cut_after = None
        assert await storage.read("agent/a/large") == _DATA
        await storage.stop()


async def test_what_is_replaced_during_a_cut_is_no_mixture(proxy: FaultProxy, direct: S3Storage, home: str) -> None:
    await direct.write("agent/a/large", b"0" * len(_DATA))
    storage = await _through(proxy, home, retries=3)
    proxy.cut_after = 3 * _MIB

    async def read_and_replace() -> None:
        async with aclosing(storage.read_stream("agent/a/large")) as pieces:
            async for piece in pieces:
                assert set(piece) == {ord("0")}
                await direct.write("agent/a/large", b"1" * len(_DATA))

    with pytest.raises(ConflictError, match="was replaced while it was read"):
        await read_and_replace()
    await storage.stop()


async def test_what_is_deleted_during_a_cut_is_not_found(proxy: FaultProxy, direct: S3Storage, home: str) -> None:
    await direct.write("agent/a/large", _DATA)
    storage = await _through(proxy, home, retries=3)
    proxy.cut_after = 3 * _MIB

    async def read_and_delete() -> None:
        async with aclosing(storage.read_stream("agent/a/large")) as pieces:
            async for _ in pieces:
                await direct.delete("agent/a/large")

    with pytest.raises(NotFoundError):
        await read_and_delete()
    await storage.stop()


@pytest.mark.parametrize(
    ("then", "error"),
    [
        ({"ETag": '"fba9dede5f27731c9771645a39863328"'}, UnavailableError),
        ({"ETag": '"9b2cf535f27731c974343645a3985328"', "Content-Range": "bytes 4-9/10"}, ConflictError),
    ],
    ids=["from-the-start", "of-another-object"],
)
async def test_a_server_that_does_not_give_the_rest_is_not_believed(then: dict[str, str], error: Any) -> None:
    """One that reads over Range or over If-Match, that is."""
    modified = {"Last-Modified": "Wed, 12 Oct 2009 17:50:00 GMT"}
    first = {"ETag": '"fba9dede5f27731c9771645a39863328"', "Content-Length": "10"}
    half = HttpReply(headers=modified | first, pieces=(b"01", b"23"), cut=True)
    async with ReplayServer.running(
        HttpReply(), half, HttpReply(headers=modified | then, pieces=(b"0123456789",))
    ) as server:
        storage = s3(server.url, retries=1)
        await storage.start()
        with pytest.raises(error):
            await storage.read("agent/a/object")
        assert server.requests[-1].headers["Range"] == "bytes=4-"
        await storage.stop()


async def test_an_object_of_five_gibibytes_announced_takes_no_memory_in_advance() -> None:
    announced = {
        "ETag": '"fba9dede5f27731c9771645a39863328"',
        "Last-Modified": "Wed, 12 Oct 2009 17:50:00 GMT",
        "Content-Length": str(5 << 30),
    }
    reply = HttpReply(headers=announced, pieces=(b"x" * 1000, b"y"), cut=True)
    async with ReplayServer.running(HttpReply(), always=reply) as server:
        storage = s3(server.url, retries=2)
        await storage.start()
        tracemalloc.start()
        try:
            with pytest.raises(UnavailableError):
                await storage.read("agent/a/huge")
            assert tracemalloc.get_traced_memory()[1] < 50 * _MIB
        finally:
            tracemalloc.stop()
        await storage.stop()


# Answers that are lost


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "in-memory"])
async def test_an_upload_in_parts_whose_last_answer_was_lost_is_there(
    monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    """The driver asks again to put the parts together, and is told that there is no such upload any more."""
    monkeypatch.setattr(token, "token_hex", lambda _: "0123456789abcdef")
    monkeypatch.setattr(writing, "_PLAIN", _MIB)
    found = {"ETag": '"fba9dede5f27731c9771645a39863328-2"', "Last-Modified": "Wed, 12 Oct 2009 17:50:00 GMT"}
    part, written = HttpReply(headers=found), HttpReply(headers=found | {"x-amz-meta-sre-version": "0123456789abcdef"})
    lost = [error_reply(500, "InternalError"), error_reply(404, "NoSuchUpload")]

    async def chunks() -> AsyncGenerator[bytes]:
        yield _DATA + b"x"

    async with ReplayServer.running(HttpReply(), begun(), part, part, *lost, written) as server:
        storage = s3(server.url, retries=1)
        await storage.start()
        write = storage.write_stream("a", chunks()) if stream else storage.write("a", _DATA + b"x")
        info = await write
        assert (info.version, info.size) == ("0123456789abcdef", len(_DATA) + 1)
        await storage.stop()


async def test_an_upload_in_parts_that_somebody_took_back_is_an_error() -> None:
    found = {"ETag": '"fba9dede5f27731c9771645a39863328-2"', "Last-Modified": "Wed, 12 Oct 2009 17:50:00 GMT"}
    part, other = HttpReply(headers=found), HttpReply(headers=found | {"x-amz-meta-sre-version": "another"})
    gone = error_reply(404, "NoSuchUpload")

    async def chunks() -> AsyncGenerator[bytes]:
        yield _DATA + b"x"

    async with ReplayServer.running(HttpReply(), begun(), part, part, gone, other, gone) as server:
        storage = s3(server.url, retries=0)
        await storage.start()
        with pytest.raises(NotFoundError, match="NoSuchUpload"):
            await storage.write_stream("a", chunks())
        await storage.stop()


# Slow and silent servers


async def test_a_server_that_says_nothing_is_given_up(proxy: FaultProxy, home: str) -> None:
    storage = await _through(proxy, home, retries=0, timeout=3)
    proxy.silent = True
    calls = (storage.read("a"), storage.write("a", b"1"), storage.stat("a"), storage.delete("a"))
    errors = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(error) for error in errors] == [DeadlineError] * 4
    proxy.silent = False
    await storage.write("agent/a/object", b"1")
    assert await storage.read("agent/a/object") == b"1"
    await storage.stop()


async def test_a_slow_server_only_takes_longer(proxy: FaultProxy, home: str) -> None:
    storage = await _through(proxy, home)
    proxy.delay = 0.05
    await storage.write("agent/a/object", b"1", metadata={"a": "1"})
    assert await storage.read("agent/a/object") == b"1"
    assert [found.key async for found in storage.list("")] == ["agent/a/object"]
    await storage.stop()


async def test_a_cancelled_upload_frees_its_connections_and_leaves_nothing(
    proxy: FaultProxy, direct: S3Storage, moto: Moto, home: str
) -> None:
    storage = await _through(proxy, home)
    waiting = asyncio.Event()

    async def endless() -> AsyncGenerator[bytes]:
        yield b"x" * (20 * _MIB)
        waiting.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(120):
        writing = asyncio.create_task(storage.write_stream("agent/a/large", endless()))
        await waiting.wait()
        writing.cancel()
        await asyncio.wait({writing})
        assert writing.cancelled()
        assert moto.left(home) == []
        await storage.stop()
        await proxy.wait_until_open(0)


async def test_a_cancelled_read_frees_its_connection(proxy: FaultProxy, direct: S3Storage, home: str) -> None:
    await direct.write("agent/a/object", b"1")
    storage = await _through(proxy, home, pool=1)
    proxy.silent = True
    async with asyncio.timeout(120):
        reading = asyncio.create_task(storage.read("agent/a/object"))
        await proxy.wait_until_open(1)
        reading.cancel()
        await asyncio.wait({reading})
        assert reading.cancelled()
        proxy.silent = False
        # There is one connection at most: if the first one were still taken, this would wait for ever.
        assert await storage.read("agent/a/object") == b"1"
    await storage.stop()


# Servers that go away


async def test_a_server_that_dies_in_the_middle_of_an_upload_is_unavailable(own_server: ServerProcess) -> None:
    moto = Moto(own_server.port)
    storage = moto.s3(retries=0)
    await storage.start()

    async def deadly() -> AsyncGenerator[bytes]:
        yield b"x" * (9 * _MIB)
        own_server.kill()
        yield b"x" * (40 * _MIB)

    with pytest.raises(UnavailableError, match=str(moto.port)):
        await storage.write_stream("agent/a/large", deadly())
    for call in (storage.read("a"), storage.write("a", b""), storage.stat("a"), storage.delete("a"), storage.ping()):
        with pytest.raises(UnavailableError):
            await call
    own_server.start()
    Moto(own_server.port)
    await storage.write("agent/a/object", b"1")
    assert await storage.read("agent/a/object") == b"1"
    await storage.stop()


async def test_a_server_that_comes_back_while_the_driver_tries_again_is_not_noticed(own_server: ServerProcess) -> None:
    moto = Moto(own_server.port)
    async with FaultProxy.before(own_server.port) as proxy:
        storage = s3(f"http://127.0.0.1:{proxy.port}", retries=3)
        await storage.start()
        await storage.write("agent/a/object", b"1")
        # The connection that is kept is broken when the next call comes.
        proxy.break_off()
        assert await storage.read("agent/a/object") == b"1"
        await storage.stop()
    assert moto.left("agent") == ["agent/a/object"]


async def test_two_runtimes_that_write_one_key_leave_the_object_of_one(moto: Moto, home: str) -> None:
    runtimes = [moto.s3(prefix=home) for _ in range(2)]
    await asyncio.gather(*(runtime.start() for runtime in runtimes))

    async def chunks(digit: int) -> AsyncGenerator[bytes]:
        for _ in range(10):
            yield str(digit).encode() * _MIB

    for _ in range(3):
        await asyncio.gather(
            *(runtime.write_stream("team/x/object", chunks(digit)) for digit, runtime in enumerate(runtimes))
        )
        read = [await runtime.read("team/x/object") for runtime in runtimes]
        assert read[0] == read[1]
        assert read[0] in {b"0" * (10 * _MIB), b"1" * (10 * _MIB)}
    await asyncio.gather(*(runtime.stop() for runtime in runtimes))
