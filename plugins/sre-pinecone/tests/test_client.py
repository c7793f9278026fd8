"""Attempts and deadlines of a request, and what is said when it fails."""

import asyncio

import pytest

from sre_core.errors import ConfigError, ConnectorError, DeadlineError, RateLimitedError, UnavailableError
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_pinecone import PineconeVectors
from sre_pinecone.client import Client
from sre_pinecone.settings import PineconeSettings

pytestmark = pytest.mark.anyio

GOOD = HttpReply.json({"ok": True})
BUSY = HttpReply.json({"message": "busy"}, status=503)


async def ask(server: ReplayServer, *, again: bool = True, **settings) -> object:
    client = Client(PineconeSettings(**{"key": "k", "retry_wait": 0, "retries": 2, **settings}))
    try:
        answer = await client.post(f"{server.url}/query", b"{}", lambda data: data["ok"], what="query", again=again)
        return answer.data
    finally:
        await client.close()


async def test_a_failing_server_is_asked_again_a_few_times():
    async with ReplayServer.running(BUSY, BUSY, GOOD) as server:
        assert await ask(server) is True
        assert len(server.requests) == 3
    async with ReplayServer.running(always=BUSY) as server:
        with pytest.raises(UnavailableError, match="busy"):
            await ask(server)
        assert len(server.requests) == 3


async def test_a_connection_that_breaks_off_is_made_again():
    cut = HttpReply(pieces=(b'{"ok"',), cut=True)
    async with ReplayServer.running(cut, GOOD) as server:
        assert await ask(server) is True


async def test_what_would_be_made_twice_is_sent_once():
    async with ReplayServer.running(BUSY, GOOD) as server:
        with pytest.raises(UnavailableError):
            await ask(server, again=False)
        assert len(server.requests) == 1


async def test_a_wait_that_pinecone_asks_for_is_kept_or_told():
    limited = HttpReply.json({"message": "slow down"}, status=429, headers={"Retry-After": "0"})
    async with ReplayServer.running(limited, GOOD) as server:
        assert await ask(server, retry_wait=3600) is True
    limited = HttpReply.json({"message": "slow down"}, status=429, headers={"Retry-After": "3600"})
    async with ReplayServer.running(limited, GOOD) as server:
        with pytest.raises(RateLimitedError) as told:
            await ask(server)
        assert told.value.retry_after == 3600


@pytest.mark.parametrize("status", [400, 404, 409, 412, 422])
async def test_a_refused_request_is_not_sent_again(status):
    async with ReplayServer.running(HttpReply.json({"message": "no"}, status=status), GOOD) as server:
        with pytest.raises(ConnectorError):
            await ask(server)
        assert len(server.requests) == 1


async def test_a_server_that_takes_too_long_is_given_up():
    async with ReplayServer.running(always=HttpReply(hang=True)) as server:
        with pytest.raises(DeadlineError, match=str(server.port)):
            await ask(server, timeout=0.1)


@pytest.mark.parametrize("host", ["a..b", "xn--ü.test", "x" * 64])
async def test_a_host_that_cannot_be_is_a_wrong_setting(host):
    connector = PineconeVectors(PineconeSettings(key="k", host=host))
    with pytest.raises(ConfigError, match="is no address"):
        await connector.start()
    await connector.stop()


async def test_what_holds_the_key_does_not_stand_behind_an_error():
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 2x0 Perhaps\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        connector = PineconeVectors(PineconeSettings(key="pcsk_secret_8264", url=url, retries=0))
        with pytest.raises(UnavailableError) as refused:
            await connector.start()
        await connector.stop()
    seen: list[BaseException | None] = [refused.value, refused.value.__cause__, refused.value.__context__]
    assert "pcsk_secret_8264" not in f"{seen!r}"


async def test_a_redirection_is_not_followed():
    moved = HttpReply(status=302, headers={"Location": "http://127.0.0.1:9/"})
    async with ReplayServer.running(moved) as server:
        with pytest.raises(ConnectorError, match="redirection"):
            await ask(server)


async def test_the_key_and_the_version_go_with_every_request():
    async with ReplayServer.running(GOOD) as server:
        await ask(server, key="pcsk_1")
        (request,) = server.requests
        assert request.headers["Api-Key"] == "pcsk_1"
        assert request.headers["X-Pinecone-Api-Version"] == "2026-07"
        assert request.headers["Content-Type"] == "application/json"
