"""What is left, and what is shown, when a connector is stopped in the middle, or its service talks nonsense."""

import asyncio
import traceback
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import ServiceRequestTimeoutError

from sre_azure import AzureSettings, AzureStorage
from sre_azure.errors import translated
from sre_core.errors import ConnectorError, UnavailableError
from sre_core.testing.replay import HttpReply, ReplayServer

pytestmark = pytest.mark.anyio

_PIECE = 1 << 16
_SIGNATURE = "sv=2021-06-08&se=2030-01-01T00%3A00%3A00Z&sr=c&sp=rl&sig=c2VjcmV0LXdvcmRz"
_SECRET = "c2VjcmV0LXdvcmRz"
_LIST = (
    b'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://127.0.0.1/account/" '
    b'ContainerName="container"><MaxResults>1</MaxResults><Blobs/><NextMarker/></EnumerationResults>'
)
_LISTED = HttpReply(headers={"Content-Type": "application/xml"}, pieces=(_LIST,))


def storage(url: str, **other: Any) -> AzureStorage:
    given = {"container": "container", "account": "account", "endpoint": f"{url}/account", "sas_token": _SIGNATURE}
    return AzureStorage(AzureSettings.model_validate({**given, "retries": 0, "piece_bytes": _PIECE, **other}))


async def pieces(stopped: AzureStorage | None = None) -> AsyncGenerator[bytes]:
    yield b"x" * (_PIECE + 1)
    if stopped is not None:
        await stopped.stop()
    yield b"y" * (_PIECE + 1)


async def test_calls_that_are_under_way_end_when_the_connector_is_stopped() -> None:
    headers = {
        "Content-Range": "bytes 0-99/100",
        "Content-Length": "100",
        "ETag": '"0x7"',
        "Last-Modified": "Fri, 27 Nov 2026 10:00:00 GMT",
        "x-ms-blob-type": "BlockBlob",
    }
    async with asyncio.timeout(120), ReplayServer.running(_LISTED) as server:
        connector = storage(server.url)
        await connector.start()
        server.always = HttpReply(headers=headers, pieces=(b"beginning",), hang=True)
        calls = (connector.read("a"), connector.write("a", b"1"), connector.write_stream("a", pieces()))
        tasks = [asyncio.create_task(call) for call in calls]
        stream = connector.read_stream("a")
        tasks.append(asyncio.create_task(anext(stream)))
        await server.wait_until_busy(4)
        await connector.stop()
        await asyncio.wait(tasks)
        assert all(isinstance(task.exception(), ConnectorError) for task in tasks)
        await server.wait_until_busy(0)


@pytest.mark.parametrize("retries", [0, 3])
async def test_an_upload_that_outlives_its_connector_is_told_so(retries: int) -> None:
    async with ReplayServer.running(_LISTED, always=HttpReply(status=201)) as server:
        connector = storage(server.url, retries=retries)
        await connector.start()
        with pytest.raises(ConnectorError, match="was stopped"):
            await connector.write_stream("a", pieces(connector))


@asynccontextmanager
async def babbling() -> AsyncIterator[str]:
    """The address of a server that lists nothing when it is asked first, and then says nothing but nonsense."""
    said = [b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s" % (len(_LIST), _LIST)]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(said.pop(0) if said else b"nonsense\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_signature_is_in_no_error_and_not_in_what_caused_it() -> None:
    async with babbling() as url:
        connector = storage(url)
        await connector.start()
        for call in (connector.read("a"), connector.stat("a"), connector.delete("a"), connector.ping()):
            with pytest.raises(UnavailableError, match="broke the connection off") as raised:
                await call
            assert _SECRET not in "".join(traceback.format_exception(raised.value))
        await connector.stop()


def test_an_address_that_could_not_be_connected_to_is_not_shown_with_its_signature() -> None:
    theirs = aiohttp.ConnectionTimeoutError(f"Connection timeout to host http://127.0.0.1/container?{_SIGNATURE}")
    with pytest.raises(UnavailableError, match="no connection") as raised, translated("reading", "container"):
        raise ServiceRequestTimeoutError(theirs, error=theirs) from theirs
    assert _SECRET not in "".join(traceback.format_exception(raised.value))
