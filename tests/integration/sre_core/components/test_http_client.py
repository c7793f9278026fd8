"""The HTTP client against a server on loopback, which counts as public where a test says so."""

import asyncio
import gc
import socket
import zlib

import anyio
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver

from sre_core.components.http_client import HTTPCall, HTTPClient
from sre_core.components.http_exchange import Exchange, PublicResolver
from sre_core.errors import ComponentError, DeadlineError, UnavailableError
from sre_core.testing.servers import free_port
from tests.integration.sre_core.components.local_service import local_service

pytestmark = pytest.mark.integration


def only_loopback(address):
    """127.0.0.1 plays the internet; all else, 127.0.0.2 too, is a private network."""
    return address == "127.0.0.1"


@pytest.fixture
async def client():
    client = HTTPClient(public=only_loopback)
    yield client
    await client.aclose()


@pytest.fixture
async def guarded():
    """As components have it."""
    client = HTTPClient()
    yield client
    await client.aclose()


async def test_a_request_is_sent_and_the_reply_read(client):
    async with local_service(lambda r: web.Response(body=r.body, headers={"X-Two": "a"})) as service:
        reply = await client.request("post", f"{service.url}/x%2Fy?q=a%20b%26", headers={"X-One": "ü"}, data="héllo")
        (received,) = service.received
        assert (received.method, received.target, received.body) == ("POST", "/x%2Fy?q=a%20b%26", "héllo".encode())
        assert received.headers["content-type"] == "text/plain; charset=utf-8"
        assert received.headers["user-agent"] == "sre-runtime"
        assert (reply.status, reply.body, reply.headers["x-two"]) == (200, "héllo".encode(), "a")
        assert reply.url == f"{service.url}/x%2Fy?q=a%20b%26"


async def test_a_failure_of_the_server_is_a_reply(client):
    async with local_service(lambda _: web.Response(status=503, text="later")) as service:
        reply = await client.request("GET", service.url)
        assert (reply.status, reply.body, len(service.received)) == (503, b"later", 1)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",
        "①②⑦.0.0.1",
        "user@127.0.0.1",
        "example.com@127.0.0.1",
        "example.com:80@127.0.0.1",
        "127.0.0.1%2f",
        "127.0.0.1#@example.com",
        "127.0.0.1\\@example.com",
        "169.254.169.254",
        "[fd00:ec2::254]",
    ],
)
async def test_an_input_cannot_reach_this_machine(guarded, host):
    async with local_service(lambda _: "secret") as service:
        port = service.url.rpartition(":")[2]
        for url in (f"http://{host}:{port}/", f"http://{host}/"):
            with pytest.raises(ComponentError):
                await guarded.request("GET", url)
        assert service.received == []


async def test_the_author_can(guarded):
    async with local_service(lambda _: "hello") as service:
        assert (await guarded.request("GET", service.url, trusted=True)).status == 200
        named = service.url.replace("127.0.0.1", "localhost")
        assert (await guarded.request("GET", named, trusted=True)).status == 200


async def test_a_connection_of_the_authors_is_none_for_inputs(guarded):
    async with local_service(lambda _: "hello") as service:
        await guarded.request("GET", service.url, trusted=True)
        with pytest.raises(ComponentError, match="refused"):
            await guarded.request("GET", service.url)


class Flipping(AbstractResolver):
    """Gives other addresses each time, as a server does that rebinds its name."""

    def __init__(self, *answers):
        self.answers = list(answers)

    async def resolve(self, host, port=0, family=socket.AF_INET):
        return [
            {"hostname": host, "host": address, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for address in self.answers.pop(0)
        ]

    async def close(self):
        pass


def call(url, **changes):
    usual = {"method": "GET", "trusted": False, "headers": {}, "data": None, "proxy": None}
    limits = {"follow_redirects": True, "timeout": 60.0, "max_bytes": 1000}
    return HTTPCall(url=url, **{**usual, **limits, **changes})


async def test_what_is_connected_to_is_what_was_checked():
    async with local_service(lambda _: web.json_response("hello", headers={"Connection": "close"})) as service:
        port = service.url.rpartition(":")[2]
        resolver = Flipping(["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1", "127.0.0.2"], ["169.254.169.254"])
        exchange = Exchange(only_loopback, resolver)
        try:
            assert (await exchange.send(call(f"http://rebind.example:{port}/"))).status == 200
            # Asked for once, and not again between check and use.
            assert len(resolver.answers) == 3
            for name in ("one", "two", "three"):
                with pytest.raises(ComponentError, match="not public"):
                    await exchange.send(call(f"http://{name}.example:{port}/"))
        finally:
            await exchange.aclose()
        assert len(service.received) == 1


async def test_the_resolver_lets_public_addresses_through():
    resolver = PublicResolver(only_loopback, Flipping(["127.0.0.1"]))
    assert [found["host"] for found in await resolver.resolve("a.example", 80)] == ["127.0.0.1"]
    await resolver.close()


async def test_an_unknown_name_is_a_server_that_is_not_there():
    class Unknown(Flipping):
        async def resolve(self, host, port=0, family=socket.AF_INET):
            raise OSError("unknown")

    exchange = Exchange(only_loopback, Unknown())
    with pytest.raises(UnavailableError, match="the name is unknown"):
        await exchange.send(call("http://nowhere.example/?key=s3cret"))
    await exchange.aclose()


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", ".example", "a" * 300])
async def test_a_name_that_no_host_can_have_is_an_error(guarded, host):
    for trusted in (True, False):
        with pytest.raises((ComponentError, UnavailableError)):
            await guarded.request("GET", f"http://{host}/", trusted=trusted)


async def test_a_server_that_is_not_there_is_unavailable(client):
    with pytest.raises(UnavailableError, match="no reply from http://127") as caught:
        await client.request("GET", f"http://127.0.0.1:{free_port()}/?key=s3cret")
    assert "s3cret" not in str(caught.value)


async def test_a_connection_that_breaks_off_is_unavailable(client):
    async def hang_up(reader, writer):
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        with pytest.raises(UnavailableError, match="broke off"):
            await client.request("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")


async def test_what_does_not_speak_http_is_unavailable(client):
    async def babble(reader, writer):
        await reader.readline()
        writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        with pytest.raises(UnavailableError):
            await client.request("GET", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")


async def test_a_reply_that_takes_too_long_is_given_up_and_its_connection_closed(client, skip):
    asked, done = asyncio.Event(), asyncio.Event()

    async def answer(_):
        asked.set()
        await done.wait()
        return web.Response()

    async with local_service(answer) as service:
        request = asyncio.create_task(client.request("GET", service.url, timeout=600))
        await asked.wait()
        skip(601)
        with pytest.raises(DeadlineError, match="within 600 s") as caught:
            await request
        assert caught.value.__cause__ is None
        done.set()
        # Others are served.
        assert (await client.request("GET", service.url)).status == 200


async def test_time_runs_over_all_redirects_and_the_body(client):
    async def drip(request):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0)

    app = web.Application()
    app.router.add_get("/", drip)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    try:
        with anyio.fail_after(60), pytest.raises(DeadlineError):
            await client.request("GET", f"http://{host}:{port}/", timeout=0.2)
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("declared", [True, False])
async def test_a_reply_that_is_too_large_is_refused(client, declared):
    async def answer(_):
        response = web.Response(body=b"x" * 5000)
        if not declared:
            response.enable_chunked_encoding()
        return response

    async with local_service(answer) as service:
        with pytest.raises(ComponentError, match="larger than 4999 bytes"):
            await client.request("GET", service.url, max_bytes=4999)
        assert len((await client.request("GET", service.url, max_bytes=5000)).body) == 5000
        assert (await client.request("HEAD", service.url, max_bytes=10)).body == b""


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_reply_that_unpacks_to_too_much_is_refused_early(client, coding):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    bomb = b"".join([packer.compress(b"\0" * 2**20) for _ in range(200)]) + packer.flush()
    assert len(bomb) < 2**20

    async with local_service(lambda _: web.Response(body=bomb, headers={"Content-Encoding": coding})) as service:
        with pytest.raises(ComponentError, match="larger than 1048576 bytes"):
            await client.request("GET", service.url, max_bytes=2**20)
        bomb = zlib.compress(b"hello", wbits=31 if coding == "gzip" else 15)
        assert (await client.request("GET", service.url)).body == b"hello"


async def test_fifty_requests_at_once_do_not_mix(client):
    together = asyncio.Barrier(50)

    async def answer(received):
        await together.wait()
        return {"n": received.query["n"]}

    async with local_service(answer) as service:

        async def ask(n):
            return (await client.request("GET", f"{service.url}/?n={n}")).body

        with anyio.fail_after(60):
            replies = await asyncio.gather(*(ask(n) for n in range(50)))
        assert replies == [f'{{"n": "{n}"}}'.encode() for n in range(50)]


async def test_a_request_that_is_cancelled_closes_its_connection(client):
    asked, gone = asyncio.Event(), asyncio.Event()

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        if not await reader.read():
            gone.set()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        task = asyncio.create_task(client.request("GET", url))
        with anyio.fail_after(60):
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await gone.wait()


async def test_a_client_that_was_never_used_or_is_closed_twice_leaves_nothing(client):
    idle = HTTPClient()
    await idle.aclose()
    async with local_service(lambda _: "hello") as service:
        await client.request("GET", service.url)
        await client.aclose()
        await client.aclose()
        with pytest.raises(UnavailableError, match="closed"):
            await client.request("GET", service.url)
    # What was left open would warn now, and a warning is an error.
    gc.collect()


async def test_the_first_requests_may_come_at_once():
    client = HTTPClient(public=only_loopback)
    async with local_service(lambda _: "hello") as service:
        replies = await asyncio.gather(*(client.request("GET", service.url) for _ in range(5)))
        assert [reply.status for reply in replies] == [200] * 5
    await client.aclose()


async def test_cookies_do_not_go_from_one_request_to_another(client):
    async with local_service(lambda _: web.Response(headers={"Set-Cookie": "session=a1"})) as service:
        await client.request("GET", service.url)
        await client.request("GET", service.url)
        assert "cookie" not in service.received[1].headers


async def test_the_lock_of_a_key_is_one_lock_while_somebody_has_it(client):
    lock = client.lock("a")
    assert client.lock("a") is lock
    assert client.lock("b") is not lock
