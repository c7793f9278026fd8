"""What goes wrong between a connector and its server, and what a server may answer besides secrets."""

import asyncio

import pytest

from sre_core.errors import ConnectorError, DeadlineError, UnauthenticatedError, UnavailableError
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_hashicorp import HashicorpSettings, HashicorpVault

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

GOOD = {"data": {"data": {"value": "secret"}, "metadata": {"deletion_time": "", "version": 1}}}


@pytest.fixture
async def proxy(shared_bao):
    """What stands between a connector and the shared server."""
    shared_bao.client.secrets.kv.v2.create_or_update_secret("transport/one", {"value": "secret"})
    async with FaultProxy.before(shared_bao.port) as proxy:
        yield proxy


def through(proxy, bao, **changes):
    return bao.vault(url=f"http://127.0.0.1:{proxy.port}", prefix="transport", **changes)


def at(url, **changes):
    base = {"url": url, "token": "s.of-the-test", "kv_version": 2, "retries": 0}
    return HashicorpVault(HashicorpSettings.model_validate(base | changes))


async def read(connector):
    return (await connector.get("one")).get_secret_value()


async def test_a_slow_server_is_waited_for(shared_bao, proxy, started):
    connector = await started(through(proxy, shared_bao))
    proxy.delay = 0.05
    assert await read(connector) == "secret"


async def test_a_silent_server_is_left_at_the_deadline(shared_bao, proxy, started):
    connector = await started(through(proxy, shared_bao, timeout=3, retries=3))
    proxy.silent = True
    with pytest.raises(DeadlineError, match="within 3 s"):
        await connector.get("one")
    await proxy.wait_until_open(0)
    proxy.silent = False
    assert await read(connector) == "secret"


async def test_a_connection_that_breaks_in_mid_call_is_made_again(shared_bao, proxy, started):
    connector = await started(through(proxy, shared_bao, retries=5, retry_wait=0.01))
    proxy.silent = True
    call = asyncio.ensure_future(read(connector))
    await proxy.wait_until_open(1)
    proxy.silent = False
    proxy.break_off()
    assert await call == "secret"


async def test_a_reply_that_is_cut_again_and_again_is_unavailable(shared_bao, proxy, started):
    connector = await started(through(proxy, shared_bao, retries=2, retry_wait=0.01))
    proxy.break_off()
    proxy.cut_after = 100
    before = proxy.connections
    with pytest.raises(UnavailableError, match="broke off"):
        await connector.get("one")
    assert proxy.connections >= before + 3
    proxy.cut_after = None
    assert await read(connector) == "secret"


async def test_a_port_that_refuses_is_unavailable_until_it_does_not(shared_bao, proxy, started):
    connector = await started(through(proxy, shared_bao))
    proxy.refusing = True
    proxy.break_off()
    with pytest.raises(UnavailableError):
        await connector.get("one")
    proxy.refusing = False
    assert await read(connector) == "secret"


async def test_two_hundred_calls_are_answered_by_a_real_server_at_once(shared_bao, proxy, started):
    connector = await started(through(proxy, shared_bao, timeout=60))
    proxy.delay = 0.3
    calls = [asyncio.ensure_future(read(connector)) for _ in range(200)]
    async with asyncio.timeout(120):
        await proxy.wait_until_open(200)
        assert await asyncio.gather(*calls) == ["secret"] * 200


async def test_a_standby_sends_to_the_active_server_and_is_followed_once(started):
    async with ReplayServer.running(always=HttpReply.json(GOOD)) as active, ReplayServer.running() as standby:
        headers = {"Location": f"{active.url}/v1/secret/data/one"}
        standby.always = HttpReply(status=307, headers=headers)
        connector = await started(at(standby.url))
        assert await read(connector) == "secret"
        assert active.requests[-1].headers["X-Vault-Token"] == "s.of-the-test"
        active.always = HttpReply(status=307, headers={"Location": standby.url})
        with pytest.raises(ConnectorError, match="redirection"):
            await connector.get("one")


@pytest.mark.parametrize("location", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://[::1", "http://one:two/"])
async def test_a_redirection_to_something_else_is_not_followed(started, location):
    async with ReplayServer.running(always=HttpReply.json(GOOD)) as server:
        connector = await started(at(server.url))
        server.always = HttpReply(status=307, headers={"Location": location})
        with pytest.raises(ConnectorError, match="redirection"):
            await connector.get("one")


async def test_a_redirection_to_tls_is_followed_to_who_is_trusted_alone(shared_tls_bao, started):
    async with ReplayServer.running(always=HttpReply.json(GOOD)) as server:
        changes = {"token": shared_tls_bao.client.token}
        wary = await started(at(server.url, **changes))
        trusting = await started(at(server.url, ca_file=shared_tls_bao.authority.ca_file, **changes))
        shared_tls_bao.client.secrets.kv.v2.create_or_update_secret("one", {"value": "by TLS"})
        server.always = HttpReply(status=307, headers={"Location": f"{shared_tls_bao.url}/v1/secret/data/one"})
        with pytest.raises(ConnectorError, match="no TLS connection"):
            await wary.get("one")
        assert await read(trusting) == "by TLS"


@pytest.mark.parametrize("status", [412, 472, 473])
async def test_a_standby_that_serves_nobody_is_unavailable(started, status):
    async with ReplayServer.running(always=HttpReply.json(GOOD)) as server:
        connector = await started(at(server.url))
        server.always = HttpReply.json({"errors": ["not here"]}, status=status)
        with pytest.raises(UnavailableError, match="standby"):
            await connector.get("one")


async def test_requests_are_what_the_documentation_of_the_server_asks_for(started):
    async with ReplayServer.running(always=HttpReply.json(GOOD)) as server:
        connector = await started(at(server.url, namespace="team/a", prefix="sre"))
        await connector.get("a b")
        request = server.requests[-1]
        assert (request.method, request.path) == ("GET", "/v1/secret/data/sre/a b")
        assert request.headers["X-Vault-Namespace"] == "team/a"
        assert request.headers["X-Vault-Request"] == "true"
        server.always = HttpReply.json({"data": {"keys": ["one"]}})
        assert await connector.names() == ["one"]
        assert server.requests[-1].method == "GET"
        assert server.requests[-1].query == {"list": "true"}


async def test_a_path_in_the_url_is_kept(started):
    async with ReplayServer.running(always=HttpReply.json(GOOD)) as server:
        connector = await started(at(f"{server.url}/\u00e9 b/"))
        assert await read(connector) == "secret"
        assert server.requests[-1].path == "/\u00e9 b/v1/secret/data/one"


@pytest.mark.parametrize("body", [b"<html>not found</html>", b"", b"{}", b"[]", b"null", b'{"errors": "none"}'])
async def test_what_vault_did_not_say_is_missing_is_not_known_to_be(started, body):
    async with ReplayServer.running(always=HttpReply.json(GOOD)) as server:
        connector = await started(at(server.url))
        server.always = HttpReply(status=404, pieces=(body,))
        for call in (connector.delete("one"), connector.names()):
            with pytest.raises(ConnectorError) as raised:
                await call
            assert "html" not in str(raised.value)
        server.always = HttpReply.json({"errors": []}, status=404)
        await connector.delete("one")
        assert await connector.names() == []


@pytest.mark.parametrize("retries", [0, 5])
async def test_stop_ends_the_calls_that_are_under_way(shared_bao, proxy, started, retries):
    connector = await started(through(proxy, shared_bao, retries=retries, timeout=60))
    proxy.silent = True
    calls = [asyncio.ensure_future(connector.get("one")) for _ in range(20)]
    async with asyncio.timeout(120):
        await proxy.wait_until_open(20)
        await connector.stop()
        for ended in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(ended, ConnectorError)
            assert "closed while it was used" in str(ended)
        await proxy.wait_until_open(0)


async def test_a_reply_of_five_gibibytes_is_not_read(started):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {5 << 30}\r\n\r\n".encode() + b"{")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        with pytest.raises(ConnectorError, match="more than"):
            await started(at(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))


async def test_a_token_is_nowhere_to_be_seen_when_the_server_speaks_no_http(started):
    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 nothing\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        with pytest.raises(ConnectorError, match="not as Vault does") as raised:
            await started(at(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
    error = raised.value
    while error is not None:
        assert "s.of-the-test" not in f"{error} {error!r} {error.args}"
        error = error.__cause__ or error.__context__


async def test_a_token_is_nowhere_to_be_seen_when_the_server_quotes_it(started):
    async with ReplayServer.running(always=HttpReply.json(GOOD)) as server:
        connector = await started(at(server.url))
        server.always = HttpReply.json({"errors": ["permission denied for s.of-the-test"]}, status=403)
        with pytest.raises(UnauthenticatedError) as raised:
            await connector.get("one")
        assert "s.of-the-test" not in f"{raised.value} {raised.value!r} {raised.value.hint}"
