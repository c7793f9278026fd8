"""Servers that misbehave below their API, and what of the pool and its calls remains when they or we leave."""

import asyncio
import ssl
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sre_core.connectors.llm import ImageRequest, LLMRequest
from sre_core.errors import ConfigError, ConnectorError, UnavailableError
from sre_core.messages import Message
from sre_core.testing.certificates import Authority
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_openai import OpenAILLM, OpenAISettings, client

SECRET = "sk-secret-31415926"


@asynccontextmanager
async def started(**settings: Any) -> AsyncIterator[OpenAILLM]:
    connector = OpenAILLM(OpenAISettings.model_validate({"model": "m", "key": SECRET, **settings}))
    await connector.start()
    try:
        yield connector
    finally:
        await connector.stop()


@asynccontextmanager
async def serving(reply: Callable[[bytes], bytes]) -> AsyncIterator[str]:
    """A server that answers the head of a request with any bytes, HTTP or not; its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(await reader.readuntil(b"\r\n\r\n")))
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def ask(connector: OpenAILLM) -> None:
    async for _ in connector.stream(LLMRequest(messages=(Message.user("hi"),))):
        pass


@pytest.mark.parametrize("start", [b"no HTTP: ", b"HTTP/1.1 200 OK\r\nno header "])
async def test_what_is_no_http_is_an_error_that_shows_nothing_of_what_was_sent(start: bytes):
    async with serving(lambda head: start + head) as url, started(url=url) as connector:
        for call in (ask(connector), connector.models()):
            with pytest.raises(ConnectorError, match="does not speak HTTP") as raised:
                await call
            assert SECRET not in "".join(traceback.format_exception(raised.value))
            assert SECRET not in repr(raised.value.__cause__)


async def test_an_answer_has_a_largest_size(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client, "_LARGEST_ANSWER", 1000)
    announced = HttpReply(headers={"Content-Length": str(5 << 30)}, pieces=[b"{"], hang=True)
    endless = HttpReply(pieces=[b'{"data": ['] + [b"1," * 300] * 5, hang=True)
    async with ReplayServer.running(announced, endless) as server:
        async with started(url=server.url) as connector:
            for _ in range(2):
                with pytest.raises(ConnectorError, match="larger than"):
                    await connector.models()
        link = HttpReply.json({"data": [{"url": f"{server.url}/image"}]})
        server.replies += [link, endless]
        async with started(preset="openai", url=server.url) as connector:
            with pytest.raises(ConnectorError, match="larger than"):
                await connector.generate_images(ImageRequest(prompt="A cat"))


@pytest.mark.parametrize(
    "link", ["file:///etc/passwd", "ftp://host/a", "http://a..b/", "image.png", "data:text/html,a"]
)
async def test_a_link_that_leads_nowhere_is_not_followed(link: str):
    reply = HttpReply.json({"data": [{"url": link}]})
    async with ReplayServer.running(always=reply) as server, started(preset="openai", url=server.url) as connector:
        with pytest.raises(ConnectorError, match="a link that cannot be followed"):
            await connector.generate_images(ImageRequest(prompt="A cat"))


async def test_calls_that_wait_when_the_connector_stops_are_told_so():
    async with ReplayServer.running(always=HttpReply.events([b": wait\n\n"], hang=True)) as server:
        async with started(url=server.url, max_connections=1) as connector:
            calls = [asyncio.create_task(call) for call in (ask(connector), ask(connector), connector.models())]
            await server.wait_until_busy(1)
            await asyncio.sleep(0)
        for call in calls:
            with pytest.raises(UnavailableError):
                await call


async def test_a_call_that_is_cancelled_while_it_waits_is_cancelled():
    reply = HttpReply.events([b": wait\n\n"], hang=True)
    async with (
        ReplayServer.running(always=reply) as server,
        started(url=server.url, max_connections=1) as connector,
    ):
        calls = [asyncio.create_task(ask(connector)) for _ in range(2)]
        await server.wait_until_busy(1)
        for call in calls:
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        await asyncio.wait_for(server.wait_until_busy(0), 60)


async def test_a_client_that_is_closed_is_not_there():
    async with started(url="http://127.0.0.1:9/v1") as connector:
        ours = connector._client
        assert ours is not None
    with pytest.raises(UnavailableError, match="was stopped"):
        ours.reply("http://127.0.0.1:9/v1", b"{}", what="asking", model="m")
    with pytest.raises(UnavailableError, match="was stopped"):
        await ours.json("GET", "http://127.0.0.1:9/v1", what="listing")


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch):
    listed = HttpReply.json({"data": [{"id": "m"}]})
    async with ReplayServer.running() as proxy, ReplayServer.running(always=listed) as server:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with started(url=server.url) as connector:
            await connector.models()
        assert proxy.requests == []


async def test_own_headers_replace_ours_in_any_case():
    own = {"user-agent": "mine", "content-type": "text/plain", "openai-project": "p2"}
    async with ReplayServer.running(always=HttpReply.json({"data": []})) as server:
        async with started(url=server.url, project="p1", headers=own) as connector:
            await connector.models()
        headers = server.requests[0].headers
    assert headers.getall("User-Agent") == ["mine"]
    assert headers.getall("OpenAI-Project") == ["p2"]
    assert headers.getall("Content-Type") == ["application/json"]


@pytest.mark.parametrize("name", ["", "X Team", "X:Team", "X-Team\r\nX-Evil"])
async def test_a_header_without_a_legal_name_is_refused(name: str):
    with pytest.raises(ConfigError, match="header"):
        async with started(headers={name: "a"}):
            pass


async def test_a_server_whose_certificate_nobody_trusts_is_not_spoken_to(tmp_path: Path):
    issued = Authority(tmp_path).issue("server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(issued.cert_file, issued.key_file)
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with server, started(url=f"https://127.0.0.1:{port}/v1") as connector:
        with pytest.raises(ConnectorError, match="certificate of the server is not trusted"):
            await ask(connector)
    assert b"".join(heard) == b""
