"""The authority for tests, through a real TLS server."""

import asyncio
import ssl
from pathlib import Path

import pytest

from sre_core.testing.certificates import Authority

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


async def greeting(authority: Authority, trusted: Authority, *, host: str = "localhost") -> bytes:
    """What a TLS server with a certificate of `authority` says to a client that trusts `trusted`."""
    certificate = authority.issue("server")
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(certificate.cert_file, certificate.key_file)

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=serving)
    async with server:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            server.sockets[0].getsockname()[1],
            ssl=_strict(trusted),
            server_hostname=host,
        )
        try:
            return await reader.read()
        finally:
            writer.close()


def _strict(trusted: Authority) -> ssl.SSLContext:
    """As `create_default_context` makes it from Python 3.13 on."""
    context = ssl.create_default_context(cafile=trusted.ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


async def test_who_trusts_the_authority_trusts_its_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    assert await greeting(authority, authority) == b"hello"
    assert await greeting(authority, authority, host="127.0.0.1") == b"hello"


async def test_nobody_else_does(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await greeting(Authority(tmp_path / "one"), Authority(tmp_path / "other"))


async def test_a_certificate_is_for_its_hosts_only(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        await greeting(authority, authority, host="elsewhere.test")
