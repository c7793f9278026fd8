"""The replay server answers as it is told, and tells what it was asked."""

import asyncio

import aiohttp
import pytest

from sre_core.testing.replay import HttpReply, ReplayServer

pytestmark = [pytest.mark.integration, pytest.mark.anyio]


@pytest.fixture
async def server():
    async with ReplayServer.running() as server, asyncio.timeout(10):
        yield server


@pytest.fixture
async def client():
    async with aiohttp.ClientSession() as client:
        yield client


async def test_replies_come_in_order_and_then_always_the_same(server, client):
    server.replies += [HttpReply.json({"n": 1}), HttpReply.text("two", status=503, headers={"Retry-After": "7"})]
    server.always = HttpReply.json([])
    async with client.get(f"{server.url}/a") as first:
        assert (first.status, await first.json()) == (200, {"n": 1})
    async with client.get(f"{server.url}/b") as second:
        assert (second.status, await second.text(), second.headers["Retry-After"]) == (503, "two", "7")
    for _ in range(2):
        async with client.get(f"{server.url}/c") as other:
            assert await other.json() == []


async def test_what_was_asked_is_kept(server, client):
    server.always = HttpReply()
    async with client.post(f"{server.url}/v1/a%20b?x=1", data=b"body", headers={"X-Key": "k"}):
        pass
    (asked,) = server.requests
    assert (asked.method, asked.path, asked.query["x"], asked.body) == ("POST", "/v1/a b", "1", b"body")
    assert asked.headers["x-key"] == "k"


async def test_without_a_reply_the_server_says_so(server, client):
    async with client.get(f"{server.url}/a") as response:
        assert response.status == 599
        assert "no reply is left for GET /a" in await response.text()


async def test_a_reply_can_break_off_in_its_body(server, client):
    server.always = HttpReply.events([b"data: 1\n\n", b"data: 2\n\n"], cut=True)
    async with client.get(server.url) as response:
        assert await response.content.readuntil(b"\n\n") == b"data: 1\n\n"
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_a_hanging_reply_ends_when_its_client_leaves(server, client):
    server.always = HttpReply(hang=True)
    call = asyncio.ensure_future(client.get(server.url))
    await server.wait_until_busy(1)
    response = await call
    response.close()
    await server.wait_until_busy(0)


async def test_calls_can_be_held_until_so_many_are_there(server, client):
    server.always = HttpReply.json(1)
    server.hold_for = 5

    async def ask():
        async with client.get(server.url) as response:
            return response.status

    calls = [asyncio.ensure_future(ask()) for _ in range(4)]
    await server.wait_until_busy(4)
    assert not any(call.done() for call in calls)
    assert await asyncio.gather(ask(), *calls) == [200] * 5
    assert server.busiest == 5


async def test_a_server_that_does_not_run_has_no_port():
    with pytest.raises(RuntimeError, match="does not run"):
        _ = ReplayServer().url


async def test_paths_that_are_ready_are_answered_beside_the_rest():
    async with (
        ReplayServer.running(always=HttpReply.json({}, status=503)) as server,
        aiohttp.ClientSession() as session,
    ):
        server.ready = {"/login": HttpReply.json({"token": "t"})}
        async with session.post(f"{server.url}/login") as reply:
            assert await reply.json() == {"token": "t"}
        async with session.get(f"{server.url}/other") as reply:
            assert reply.status == 503
        assert [request.path for request in server.requests] == ["/other"]
