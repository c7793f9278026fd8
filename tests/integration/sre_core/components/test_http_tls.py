"""Requests over TLS: a certificate must be one that the system trusts, whoever named the host."""

import ssl

import pytest
from aiohttp import web

from sre_core.components.http_client import HTTPClient
from sre_core.errors import UnavailableError
from sre_core.testing.certificates import Authority
from tests.integration.sre_core.components.socks_server import socks_server

pytestmark = pytest.mark.integration


@pytest.fixture
async def port(tmp_path):
    """Where a server listens whose authority nobody knows."""
    authority = Authority(tmp_path)
    certificate = authority.issue("server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)

    async def answer(_):
        return web.Response(text="hello")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_certificate_of_a_stranger_is_refused(port, trusted):
    client = HTTPClient(public=lambda address: address == "127.0.0.1")
    with pytest.raises(UnavailableError, match="TLS failed"):
        await client.request("GET", f"https://127.0.0.1:{port}/", trusted=trusted)
    await client.aclose()


@pytest.mark.parametrize("scheme", ["socks4", "socks4a", "socks5"])
async def test_a_certificate_of_a_stranger_is_refused_through_a_proxy_too(port, scheme):
    client = HTTPClient()
    async with socks_server(port) as socks:
        with pytest.raises(UnavailableError, match="no reply from https://localhost"):
            await client.request("GET", f"https://localhost:{port}/", trusted=True, proxy=f"{scheme}://{socks.address}")
        assert len(socks.asked) == 1
    await client.aclose()
