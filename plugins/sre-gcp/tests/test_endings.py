"""What is left, and what is shown, when a connector is stopped in the middle, or its service talks nonsense."""

import asyncio
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sre_core.errors import ConnectorError
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_gcp import GcsSettings, GcsStorage

pytestmark = pytest.mark.anyio

_PIECE = 256 * 1024
_LIST = HttpReply.json({"kind": "storage#objects"})


def storage(url: str, **other: Any) -> GcsStorage:
    given = {"bucket": "bucket", "endpoint": url, "anonymous": True, "piece_bytes": _PIECE, "retries": 1}
    return GcsStorage(GcsSettings.model_validate({**given, **other}))


async def pieces(stop: Callable[[], Awaitable[None]] | None = None) -> AsyncGenerator[bytes]:
    yield b"x" * (_PIECE + 1)
    if stop is not None:
        await stop()
    yield b"y" * (_PIECE + 1)


async def test_calls_that_are_under_way_end_when_the_connector_is_stopped() -> None:
    async with asyncio.timeout(120), ReplayServer.running(_LIST) as server:
        connector = storage(server.url)
        await connector.start()
        server.always = HttpReply(headers={"X-Goog-Generation": "7"}, pieces=(b"beginning",), hang=True)
        calls = (connector.read("a"), connector.stat("a"), connector.write("a", b"1"))
        tasks = [asyncio.create_task(call) for call in calls]
        stream = connector.read_stream("a")
        tasks.append(asyncio.create_task(anext(stream)))
        await server.wait_until_busy(4)
        await connector.stop()
        await asyncio.wait(tasks)
        assert [type(task.exception()) for task in tasks] == [ConnectorError] * 4
        await server.wait_until_busy(0)


async def test_an_upload_that_outlives_its_connector_is_told_so() -> None:
    taken = HttpReply(status=308, headers={"Range": f"bytes=0-{_PIECE - 1}"})
    async with ReplayServer.running(_LIST, HttpReply(headers={"Location": "/upload?upload_id=7"}), taken) as server:
        connector = storage(server.url)
        await connector.start()
        with pytest.raises(ConnectorError, match="was stopped"):
            await connector.write_stream("a", pieces(connector.stop))


@asynccontextmanager
async def babbling(*replies: bytes) -> AsyncIterator[str]:
    """The address of a server that says these bytes, whatever it is asked, and then nothing but nonsense."""
    said = list(replies)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
                await reader.readexactly(int(lines.get(b"content-length", b"0")))
                writer.write(said.pop(0) if said else b"nonsense\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_address_of_an_upload_is_in_no_error_and_not_in_what_caused_it() -> None:
    body = _LIST.pieces[0]
    listed = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    session = b"HTTP/1.1 200 OK\r\nLocation: /upload?upload_id=secret-7\r\nContent-Length: 0\r\n\r\n"
    async with babbling(listed, session) as url:
        connector = storage(url)
        await connector.start()
        with pytest.raises(ConnectorError, match="does not speak HTTP") as raised:
            await connector.write_stream("a", pieces())
        await connector.stop()
    assert "secret-7" not in "".join(traceback.format_exception(raised.value))
