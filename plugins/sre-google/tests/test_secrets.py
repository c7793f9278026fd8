"""Keys and other secrets: which are taken, and that nothing shows them; and what stopping does to calls."""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from sre_core.connectors.llm import LLMChunk, LLMRequest
from sre_core.errors import ConfigError, UnauthenticatedError, UnavailableError
from sre_core.messages import Message
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_core.testing.servers import free_port
from sre_google import GoogleLLM, GoogleSettings

from .fake_google import KEY, FakeGoogle  # noqa: TID252 -- the folder of tests is no package
from .google_connectors import Make, gemini, vertex  # noqa: TID252


async def ask(connector: GoogleLLM, text: str = "hello") -> list[LLMChunk]:
    async with aclosing(connector.stream(LLMRequest(messages=(Message.user(text),)))) as chunks:
        return [chunk async for chunk in chunks]


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    # Google's logger passes nothing up unless it is configured itself.
    loggers = [logging.getLogger(), logging.getLogger("google")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    loggers[1].addHandler(caplog.handler)
    yield
    loggers[1].removeHandler(caplog.handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


async def test_a_line_break_at_the_end_of_a_key_does_no_harm(google: FakeGoogle) -> None:
    made = gemini(google, key=SecretStr(f"{KEY}\n"))
    await made.start()
    assert await ask(made)
    await made.stop()


@pytest.mark.parametrize("changes", [{"key": "sk\nx: y"}, {"key": "ключ"}, {"headers": {"x-team": "a\rb-secret"}}])
async def test_a_secret_that_cannot_stand_in_a_header_is_named_and_not_shown(
    server: FakeGoogle, changes: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=r"the key|x-team") as refused:
        await gemini(server, **changes).start()
    assert not any(word in str(refused.value) for word in ("x: y", "ключ", "b-secret"))


async def test_a_blank_key_is_none_whatever_the_environment_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_API_KEY", "key-of-somebody-else")
    with pytest.raises(ConfigError, match="needs a key"):
        await GoogleLLM(GoogleSettings(key=SecretStr(""))).start()


@pytest.mark.parametrize("url", ["https://", "http://127.0.0.1:99999", "http://[::1"])
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        GoogleSettings(url=url)


async def test_a_password_in_the_url_is_not_shown() -> None:
    url = f"http://me:pass-word-1234@127.0.0.1:{free_port()}/gateway"
    made = GoogleLLM(GoogleSettings(key=SecretStr(KEY), url=url))
    await made.start()
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:\d+/gateway") as refused:
        await ask(made)
    assert "pass-word-1234" not in f"{refused.value} {refused.value.hint} {await made.describe()}"
    await made.stop()


async def test_a_key_that_the_server_quotes_is_in_no_traceback() -> None:
    body = {"error": {"code": 401, "message": f"what is {KEY}?", "status": "UNAUTHENTICATED"}}
    async with ReplayServer.running(always=HttpReply.json(body, status=401)) as server:
        made = GoogleLLM(GoogleSettings(key=SecretStr(KEY), url=server.url))
        await made.start()
        for call in (ask(made), made.ping()):
            with pytest.raises(UnauthenticatedError) as refused:
                await call
            assert KEY not in "".join(traceback.format_exception(refused.value))
        await made.stop()


@pytest.mark.parametrize("make", [gemini, vertex])
async def test_neither_keys_nor_conversations_are_logged_even_at_debug(
    google: FakeGoogle, make: Make, everything_logged: None, caplog: pytest.LogCaptureFixture
) -> None:
    made = make(google, headers={"x-team": SecretStr("secret-of-the-team")})
    await made.start()
    await ask(made, "the words of a user")
    await made.stop()
    token = google.received[-1].headers.get("Authorization", KEY).removeprefix("Bearer ")
    secrets = (token, "secret-of-the-team", "the words of a user", "PRIVATE KEY", "eyJ")
    assert not any(word in caplog.text for word in secrets)
    # What goes along with a message, as fields, is logged too.
    assert not any(word in repr(vars(record)) for record in caplog.records for word in secrets)


async def test_the_environment_does_not_make_it_write_conversations_to_files(
    google: FakeGoogle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_CLIENT_MODE", "record")
    monkeypatch.setenv("GOOGLE_GENAI_REPLAYS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("GOOGLE_GENAI_REPLAY_ID", "talk")
    made = gemini(google)
    await made.start()
    assert await ask(made)
    await made.stop()
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


@pytest.mark.parametrize("begun", [b"", b'data: {"candidates": []}\r\n\r\n'])
async def test_stopping_ends_calls_that_wait_for_the_server(begun: bytes) -> None:
    async with ReplayServer.running(always=HttpReply.events([begun] if begun else [], hang=True)) as server:
        made = GoogleLLM(GoogleSettings(key=SecretStr(KEY), url=server.url))
        await made.start()
        calls = [asyncio.ensure_future(ask(made)) for _ in range(20)]
        await server.wait_until_busy(20)
        await made.stop()
        async with asyncio.timeout(120):
            found = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(error) for error in found} == {UnavailableError}
