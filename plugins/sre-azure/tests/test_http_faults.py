"""The faults of HTTP, on a server that has them: while an object is read, written, described and listed."""

import asyncio
import base64
import tracemalloc
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from sre_azure import AzureSettings, AzureStorage
from sre_azure.retries import Retries
from sre_core.connectors.storage import NEW
from sre_core.errors import (
    ConflictError,
    ConnectorError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.replay import HttpReply, ReplayServer

pytestmark = pytest.mark.anyio

_SECRET = base64.b64encode(b"secret-of-the-fault-kit-7331").decode()

_LIST = (
    b'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ServiceEndpoint="http://127.0.0.1/account/" '
    b'ContainerName="bucket"><Prefix></Prefix><MaxResults>1000</MaxResults><Blobs/><NextMarker/></EnumerationResults>'
)
"""As the page "List Blobs" of the REST API describes one, and an object at the same time."""


class AzureFaults(HttpFaultConformance):
    """Part of the classes below."""

    secret = _SECRET

    def make_at(self, url: str) -> AzureStorage:
        return AzureStorage(
            AzureSettings(
                container="container",
                account="account",
                endpoint=f"{url}/account",
                account_key=SecretStr(self.secret),
                retries=0,
            )
        )

    def good(self) -> HttpReply:
        return HttpReply(
            headers={
                "Content-Type": "application/xml",
                "Content-Range": f"bytes 0-{len(_LIST) - 1}/{len(_LIST)}",
                "Content-Length": str(len(_LIST)),
                "ETag": '"0x7"',
                "Last-Modified": "Fri, 27 Nov 2026 10:00:00 GMT",
                "x-ms-blob-type": "BlockBlob",
            },
            pieces=(_LIST,),
        )


class TestReading(AzureFaults):
    async def call(self, connector: AzureStorage) -> None:
        assert await connector.read("a") == _LIST


class TestReadingInPieces(AzureFaults):
    async def call(self, connector: AzureStorage) -> None:
        async with aclosing(connector.read_stream("a")) as pieces:
            assert b"".join([piece async for piece in pieces]) == _LIST


class TestListing(AzureFaults):
    async def call(self, connector: AzureStorage) -> None:
        assert [info async for info in connector.list("")] == []


# Calls whose good replies have other statuses than that of a start

Call = Callable[[AzureStorage], Awaitable[object]]


async def _pieces() -> AsyncGenerator[bytes]:
    yield b"x" * (1 << 16)
    yield b"y"


_CALLS: dict[str, Call] = {
    "stat": lambda storage: storage.stat("a"),
    "write": lambda storage: storage.write("a", b"1"),
    "write on a condition": lambda storage: storage.write("a", b"1", if_version=NEW),
    "write_stream": lambda storage: storage.write_stream("a", _pieces()),
    "delete": lambda storage: storage.delete("a"),
    "expire": lambda storage: storage.expire("a", 60),
    "url": lambda storage: storage.url("a", 60),
}
every_call = pytest.mark.parametrize("call", _CALLS.values(), ids=_CALLS)


@asynccontextmanager
async def started() -> AsyncIterator[tuple[AzureStorage, ReplayServer]]:
    faults = AzureFaults()
    async with ReplayServer.running(faults.good()) as server:
        made = faults.make_at(server.url)
        storage = AzureStorage(made.settings.model_copy(update={"piece_bytes": 1 << 16}))
        try:
            await storage.start()
            yield storage, server
        finally:
            await storage.stop()


def refusal(status: int, code: str, **headers: str) -> HttpReply:
    """As the page "Status and error codes" of the REST API has it."""
    body = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>words: {_SECRET}</Message></Error>'
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpReply(
        status=status,
        headers={"Content-Type": "application/xml", "x-ms-error-code": code, **named},
        pieces=(body.encode(),),
    )


@every_call
@pytest.mark.parametrize(
    ("reply", "kind", "retry_after"),
    [
        (refusal(429, "TooManyRequests", Retry_After="7"), RateLimitedError, 7),
        (refusal(500, "InternalError"), UnavailableError, None),
        (refusal(503, "ServerBusy", Retry_After="7"), UnavailableError, 7),
        (refusal(401, "NoAuthenticationInformation"), UnauthenticatedError, None),
        (refusal(403, "AuthenticationFailed"), UnauthenticatedError, None),
        (refusal(400, "InvalidHeaderValue"), ConnectorError, None),
        (refusal(404, "ContainerNotFound"), NotFoundError, None),
        (HttpReply.text("<html>nginx</html>", status=502, content_type="text/html"), UnavailableError, None),
        (HttpReply.text("<html>nginx</html>", status=200, content_type="text/html"), ConnectorError, None),
    ],
    ids=["429", "500", "503", "401", "403", "400", "no container", "page of 502", "page of 200"],
)
async def test_a_failing_call_raises_what_its_status_means(
    call: Call, reply: HttpReply, kind: type[ConnectorError], retry_after: float | None
) -> None:
    async with started() as (storage, server):
        server.always = reply
        with pytest.raises(kind) as raised:
            await call(storage)
    error = raised.value
    if reply.status < 500 and reply.status != 429:
        assert not error.retryable
    assert getattr(error, "retry_after", None) == retry_after
    assert _SECRET not in f"{error} {error.hint}"
    assert "html" not in str(error)


@every_call
async def test_a_call_that_is_cancelled_frees_its_connection(call: Call) -> None:
    async with asyncio.timeout(120), started() as (storage, server):
        server.always = HttpReply(status=201, hang=True)
        task = asyncio.ensure_future(call(storage))
        await server.wait_until_busy(1)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        await server.wait_until_busy(0)


@pytest.mark.parametrize("in_pieces", [False, True], ids=["read", "read_stream"])
async def test_a_download_that_is_cancelled_after_its_first_piece_frees_its_connection(in_pieces: bool) -> None:
    size = 1 << 16
    first = HttpReply(
        headers={
            **AzureFaults().good().headers,
            "Content-Length": str(size),
            "Content-Range": f"bytes 0-{size - 1}/{2 * size}",
        },
        pieces=(b"x" * size,),
    )

    async def read_stream() -> None:
        async with aclosing(storage.read_stream("a")) as pieces:
            _ = [piece async for piece in pieces]

    async with asyncio.timeout(120), started() as (storage, server):
        server.replies.append(first)
        server.always = HttpReply(hang=True)
        task = asyncio.ensure_future(read_stream() if in_pieces else storage.read("a"))
        while len(server.requests) < 3:  # noqa: ASYNC110 -- the server tells of busy moments, and not of later ones
            await asyncio.sleep(0)
        await server.wait_until_busy(1)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        await server.wait_until_busy(0)


async def test_two_hundred_writes_wait_for_the_server_at_once() -> None:
    written = HttpReply(status=201, headers={"ETag": '"0x7"', "Last-Modified": "Fri, 27 Nov 2026 10:00:00 GMT"})
    async with asyncio.timeout(120), started() as (storage, server):
        server.always, server.hold_for = written, 200
        await asyncio.gather(*(storage.write(f"a{number}", b"1") for number in range(200)))
        assert server.busiest >= 200


async def test_a_download_that_breaks_off_is_unavailable() -> None:
    good = AzureFaults().good()
    async with started() as (storage, server):
        server.always = HttpReply(headers=good.headers, pieces=(good.pieces[0][:50],), cut=True)
        with pytest.raises(UnavailableError, match="broke the connection off"):
            await storage.read("a")


async def test_an_object_of_five_gibibytes_is_announced_and_takes_no_memory() -> None:
    headers = {**AzureFaults().good().headers, "Content-Length": str(1 << 16)}
    headers["Content-Range"] = f"bytes 0-{(1 << 16) - 1}/{5 << 30}"
    async with started() as (storage, server):
        server.always = HttpReply(headers=headers, pieces=(b"beginning",), cut=True)
        tracemalloc.start()
        try:
            with pytest.raises(UnavailableError):
                await storage.read("a")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 4 << 20


@asynccontextmanager
async def patient(retries: int) -> AsyncIterator[tuple[AzureStorage, ReplayServer]]:
    async with started() as (storage, server):
        other = AzureStorage(storage.settings.model_copy(update={"retries": retries}))
        server.replies.append(AzureFaults().good())
        try:
            await other.start()
            server.requests.clear()
            yield other, server
        finally:
            await other.stop()


async def test_a_call_is_tried_as_often_as_retries_says() -> None:
    async with patient(2) as (storage, server):
        server.replies.extend([refusal(500, "InternalError"), refusal(503, "ServerBusy", Retry_After="0")])
        server.always = AzureFaults().good()
        assert await storage.read("a") == _LIST
        assert len(server.requests) == 3
        server.always = refusal(500, "InternalError")
        with pytest.raises(UnavailableError):
            await storage.read("a")
        assert len(server.requests) == 6


async def test_a_write_on_a_condition_is_not_tried_again() -> None:
    async with patient(3) as (storage, server):
        server.always = refusal(500, "InternalError")
        with pytest.raises(UnavailableError):
            await storage.write("a", b"1", if_version=NEW)
        assert len(server.requests) == 1


@pytest.mark.parametrize(("asked", "least", "most"), [(None, 0.1, 0.2), ("7", 7, 7), ("3600", 20, 20)])
def test_a_pause_before_a_retry_heeds_the_service_within_reason(asked: str | None, least: float, most: float) -> None:
    history = [SimpleNamespace(http_response=SimpleNamespace(headers={} if asked is None else {"Retry-After": asked}))]
    assert least <= Retries(3).get_backoff_time({"count": 1, "history": history}) <= most
    assert 0.4 <= Retries(3).get_backoff_time({"count": 3, "history": []}) <= 0.8
    assert Retries(3).get_backoff_time({"count": 100, "history": []}) <= 20


async def test_blocks_that_somebody_else_s_write_took_away_are_a_conflict() -> None:
    staged = HttpReply(status=201)
    async with started() as (storage, server):
        server.replies.extend([staged, staged, refusal(400, "InvalidBlockList")])
        with pytest.raises(ConflictError, match="written by somebody else"):
            await storage.write_stream("a", _pieces())
