"""Requests through proxies: all kinds, what is still checked, and that no message shows their passwords."""

import socket
import traceback

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver

from sre_core.components.http_client import HTTPCall, HTTPClient
from sre_core.components.http_exchange import Exchange
from sre_core.components.public_address import is_public
from sre_core.errors import ComponentError, UnavailableError
from sre_core.testing.servers import free_port
from tests.integration.sre_core.components.local_service import local_service
from tests.integration.sre_core.components.socks_server import socks_server

pytestmark = pytest.mark.integration

# By another name, since tracebacks show lines of this file.
PASSWORD = "s3" + "cret"


@pytest.fixture
async def client():
    client = HTTPClient()
    yield client
    await client.aclose()


def port_of(service):
    return int(service.url.rpartition(":")[2])


async def test_a_request_goes_through_a_proxy_of_http_with_its_password(client):
    async with local_service(lambda _: "by proxy") as proxy:
        where = proxy.url.replace("http://", "http://us%40er:pass@")
        reply = await client.request("GET", "http://8.8.8.8/x?y=1", proxy=where, headers={"X-A": "b"})
        assert reply.body == b'"by proxy"'
        (received,) = proxy.received
        assert received.target == "http://8.8.8.8/x?y=1"
        assert received.headers["proxy-authorization"] == "Basic dXNAZXI6cGFzcw=="
        assert received.headers["x-a"] == "b"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/", "http://2130706433/"]
)
@pytest.mark.parametrize("scheme", ["http", "socks5", "socks4a"])
async def test_a_proxy_is_no_way_to_a_private_network(client, url, scheme):
    async with local_service(lambda _: "by proxy") as proxy:
        with pytest.raises(ComponentError, match="refused"):
            await client.request("GET", url, proxy=f"{scheme}://127.0.0.1:{port_of(proxy)}")
        assert proxy.received == []


async def test_a_name_that_leads_to_a_private_network_is_no_way_either():
    class Private(AbstractResolver):
        async def resolve(self, host, port=0, family=socket.AF_INET):
            found = {"hostname": host, "host": "10.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}
            return [found]

        async def close(self):
            pass

    async with local_service(lambda _: "by proxy") as proxy:
        exchange = Exchange(is_public, Private())
        asked = HTTPCall(
            method="GET",
            url="http://inside.example/",
            trusted=False,
            headers={},
            data=None,
            proxy=proxy.url,
            follow_redirects=True,
            timeout=60.0,
            max_bytes=1000,
        )
        with pytest.raises(ComponentError, match="not public"):
            await exchange.send(asked)
        await exchange.aclose()
        assert proxy.received == []


async def test_the_author_may_reach_a_host_of_the_proxys_network(client):
    async with local_service(lambda _: "by proxy") as proxy:
        await client.request("GET", "http://intranet.example/", proxy=proxy.url, trusted=True)
        assert proxy.received[0].target == "http://intranet.example/"


async def test_a_redirect_through_a_proxy_is_checked_too(client):
    def redirect(_):
        return web.Response(status=302, headers={"Location": "http://10.0.0.1/"})

    async with local_service(redirect) as proxy:
        with pytest.raises(ComponentError, match=r"10\.0\.0\.1"):
            await client.request("GET", "http://8.8.8.8/", proxy=proxy.url)
        assert len(proxy.received) == 1


@pytest.mark.parametrize(
    ("proxy", "version", "host"),
    [
        ("socks5://{}", 5, "localhost"),
        ("socks5://us%40er:s3cret@{}", 5, "localhost"),
        ("SOCKS5://{}", 5, "localhost"),
        ("socks4a://{}", 4, "localhost"),
        ("socks4://{}", 4, "127.0.0.1"),
    ],
)
async def test_socks_of_all_versions(client, proxy, version, host):
    async with local_service(lambda _: "hello") as service, socks_server(port_of(service)) as socks:
        reply = await client.request("GET", "http://localhost:4321/x", trusted=True, proxy=proxy.format(socks.address))
        assert reply.body == b'"hello"'
        assert socks.asked == [(version, host, 4321)]
        assert socks.credentials == (["us@er:s3cret"] if "s3cret" in proxy else [])
        assert service.received[0].headers["host"] == "localhost:4321"


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks4", "socks4a"])
async def test_a_proxy_that_is_not_there_is_unavailable_and_its_password_unseen(client, scheme):
    with pytest.raises(UnavailableError, match="through") as caught:
        await client.request("GET", "http://8.8.8.8/", proxy=f"{scheme}://user:{PASSWORD}@127.0.0.1:{free_port()}")
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


async def test_a_proxy_that_refuses_says_its_status_and_no_password(client):
    async with local_service(lambda _: web.Response(status=407)) as proxy:
        where = proxy.url.replace("http://", f"http://user:{PASSWORD}@")
        with pytest.raises(UnavailableError, match="407") as caught:
            await client.request("GET", "https://8.8.8.8/", proxy=where)
        assert proxy.received[0].method == "CONNECT"
        assert PASSWORD not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "proxy",
    [
        f"ftp://user:{PASSWORD}@127.0.0.1:1",
        "http://",
        "nonsense",
        f"socks5://user:{PASSWORD}@",
        "http://[::1",
        "socks9://a:1",
    ],
)
async def test_what_is_no_proxy_is_an_error_that_shows_no_password(client, proxy):
    with pytest.raises(ComponentError, match="proxy") as caught:
        await client.request("GET", "http://8.8.8.8/", proxy=proxy)
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))
