"""Keys and other secrets: which are taken, and that nothing shows them; and what stopping does to calls."""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from sre_anthropic import AnthropicLLM, AnthropicSettings
from sre_core.connectors.llm import LLMChunk, LLMRequest
from sre_core.errors import ConfigError, UnauthenticatedError, UnavailableError
from sre_core.messages import Message
from sre_core.testing.replay import HttpReply, ReplayServer

from .fake_claude import KEY, FakeClaude  # noqa: TID252 -- the folder of tests is no package


async def ask(connector: AnthropicLLM, text: str = "Hi") -> list[LLMChunk]:
    return [chunk async for chunk in connector.stream(LLMRequest(messages=(Message.user(text),)))]


@pytest.fixture
def driver_log() -> Iterator[logging.Logger]:
    """The client library's own logger, as nobody has set it; at debug, everything is logged."""
    logger, root = logging.getLogger("anthropic"), logging.getLogger()
    levels = logger.level, root.level
    logger.setLevel(logging.NOTSET)
    root.setLevel(logging.DEBUG)
    yield logger
    logger.setLevel(levels[0])
    root.setLevel(levels[1])


async def test_a_line_break_at_the_end_of_a_key_does_no_harm(make, claude: FakeClaude):
    connector = make(key=SecretStr(f"{KEY}\n"))
    await connector.start()
    await ask(connector)
    await connector.stop()


@pytest.mark.parametrize("changes", [{"key": "sk\nx: y"}, {"key": "ключ"}, {"headers": {"x-team": "a\rb-secret"}}])
async def test_a_secret_that_cannot_stand_in_a_header_is_named_and_not_shown(make, changes: dict[str, Any]):
    with pytest.raises(ConfigError, match=r"the key|x-team") as refused:
        await make(**changes).start()
    assert not any(word in str(refused.value) for word in ("x: y", "ключ", "b-secret"))


async def test_a_blank_key_is_none():
    with pytest.raises(ConfigError, match="no key"):
        await AnthropicLLM(AnthropicSettings(key=SecretStr(" \n"))).start()


async def test_no_key_is_sent_where_there_is_none():
    async with ReplayServer.running(always=HttpReply.json({"data": []})) as server:
        connector = AnthropicLLM(AnthropicSettings(url=server.url, headers={"x-api-key": SecretStr("of the gateway")}))
        await connector.start()
        await connector.ping()
        await connector.stop()
        (request,) = server.requests
    assert "Authorization" not in request.headers
    assert request.headers["x-api-key"] == "of the gateway"


@pytest.mark.parametrize("url", ["https://", "http://127.0.0.1:99999", "http://[::1", "https://me:pass@example.com"])
def test_a_url_that_leads_nowhere_or_holds_a_password_is_refused(url: str):
    with pytest.raises(ValidationError):
        AnthropicSettings(url=url)


async def test_a_key_that_the_server_quotes_is_in_no_traceback():
    body = {"type": "error", "error": {"type": "authentication_error", "message": f"what is {KEY}?"}}
    async with ReplayServer.running(always=HttpReply.json(body, status=401)) as server:
        connector = AnthropicLLM(AnthropicSettings(key=SecretStr(KEY), url=server.url))
        await connector.start()
        for call in (ask(connector), connector.ping()):
            with pytest.raises(UnauthenticatedError) as refused:
                await call
            assert KEY not in "".join(traceback.format_exception(refused.value))
        await connector.stop()


async def test_neither_keys_nor_conversations_are_logged_even_at_debug(make, driver_log, caplog):
    connector = make(headers={"x-team": SecretStr("secret-of-the-team")})
    await connector.start()
    await ask(connector, "the words of a user")
    await connector.stop()
    assert "/v1/messages" in caplog.text
    assert not any(word in caplog.text for word in (KEY, "secret-of-the-team", "the words of a user"))


async def test_who_wants_the_log_of_the_library_gets_it(make, driver_log, caplog):
    driver_log.setLevel(logging.DEBUG)
    connector = make()
    await connector.start()
    await ask(connector, "the words of a user")
    await connector.stop()
    assert "the words of a user" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize("begun", [b"", b'data: {"type": "ping"}\n\n'])
async def test_stopping_ends_calls_that_wait_for_the_server(begun: bytes):
    async with ReplayServer.running(always=HttpReply.events([begun] if begun else [], hang=True)) as server:
        connector = AnthropicLLM(AnthropicSettings(key=SecretStr(KEY), url=server.url))
        await connector.start()
        calls = [asyncio.ensure_future(ask(connector)) for _ in range(20)]
        await server.wait_until_busy(20)
        await connector.stop()
        async with asyncio.timeout(120):
            found = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(error) for error in found} == {UnavailableError}
