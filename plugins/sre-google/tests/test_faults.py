"""What both APIs may do wrong, through the official library: each fault ends in an error of ours."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sre_core.connectors.llm import LLMChunk, LLMRequest
from sre_core.errors import (
    ConfigError,
    ConnectorError,
    DeadlineError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.messages import Message
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_core.testing.servers import free_port
from sre_google import GoogleLLM, GoogleSettings

from .fake_google import FakeGoogle  # noqa: TID252 -- the folder of tests is no package
from .google_connectors import gemini, vertex  # noqa: TID252

ERRORS: Mapping[str, Mapping[str, Any]] = json.loads((Path(__file__).parent / "fixtures" / "errors.json").read_text())
HELLO = LLMRequest(messages=(Message.user("hello"),))


def event(text: str, **more: Any) -> bytes:
    candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}, **more}
    usage = {"promptTokenCount": 1, "candidatesTokenCount": 2, "totalTokenCount": 3}
    return b"data: " + json.dumps({"candidates": [candidate], "usageMetadata": usage}).encode() + b"\r\n\r\n"


GOOD = HttpReply.events([event("Hel"), event("lo", finishReason="STOP")])


async def ask(connector: GoogleLLM, request: LLMRequest = HELLO) -> list[LLMChunk]:
    async with aclosing(connector.stream(request)) as chunks:
        return [chunk async for chunk in chunks]


@pytest.fixture
async def replay() -> AsyncIterator[ReplayServer]:
    async with ReplayServer.running() as server:
        yield server


@pytest.fixture
async def connector(replay: ReplayServer) -> AsyncIterator[GoogleLLM]:
    """A connector of the Gemini API, whose server answers as a test tells it."""
    made = GoogleLLM(GoogleSettings(key=SecretStr("key-of-this-test-1234"), url=replay.url))
    await made.start()
    yield made
    await made.stop()


# What Google says when it refuses


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in ERRORS.items()])
async def test_a_documented_error_is_the_one_of_ours_that_fits(
    replay: ReplayServer, connector: GoogleLLM, case: Mapping[str, Any]
) -> None:
    replay.always = HttpReply.json(case["body"], status=case["status"])
    for call in (ask(connector), connector.embed(["hello"]), connector.models(), connector.ping()):
        with pytest.raises(ConnectorError) as refused:
            await call
        assert type(refused.value).__name__ == case["error"]
        assert case.get("says", "") in str(refused.value)
        assert getattr(refused.value, "retry_after", None) == pytest.approx(case.get("retry_after"))


async def test_a_key_that_google_quotes_is_not_shown(replay: ReplayServer, connector: GoogleLLM) -> None:
    error = {"code": 400, "message": "API key not valid: key-of-this-test-1234", "status": "INVALID_ARGUMENT"}
    replay.always = HttpReply.json({"error": error}, status=400)
    with pytest.raises(UnauthenticatedError) as refused:
        await ask(connector)
    assert "1234" not in f"{refused.value} {refused.value.hint}"


async def test_an_error_in_the_middle_of_a_stream_is_an_error(replay: ReplayServer, connector: GoogleLLM) -> None:
    error = json.dumps({"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}).encode()
    replay.always = HttpReply.events([event("Hel"), b"data: " + error + b"\r\n\r\n"])
    async with aclosing(connector.stream(HELLO)) as chunks:
        assert (await anext(chunks)).text == "Hel"
        with pytest.raises(UnavailableError, match="overloaded"):
            await anext(chunks)


async def test_a_redirection_is_not_followed_with_the_key(replay: ReplayServer, connector: GoogleLLM) -> None:
    replay.always = HttpReply(status=307, headers={"Location": f"{replay.url}/elsewhere"})
    with pytest.raises(ConnectorError, match="not followed"):
        await ask(connector)
    assert [request.path for request in replay.requests] == ["/v1beta/models/gemini-3.8-flash:streamGenerateContent"]


async def test_an_unknown_model_is_named(google: FakeGoogle) -> None:
    made = gemini(google)
    await made.start()
    with pytest.raises(NotFoundError, match="gemini-9"):
        await ask(made, LLMRequest(messages=HELLO.messages, model="gemini-9"))
    await made.stop()


async def test_a_failing_gateway_that_promises_json_is_unavailable(replay: ReplayServer, connector: GoogleLLM) -> None:
    replay.always = HttpReply(status=502, headers={"Content-Type": "application/json"}, pieces=(b"Bad Gateway",))
    with pytest.raises(UnavailableError, match="status 502"):
        await ask(connector)


async def test_a_name_that_no_model_can_have_is_refused_without_asking(
    replay: ReplayServer, connector: GoogleLLM
) -> None:
    with pytest.raises(ConfigError, match="cannot be done"):
        await ask(connector, LLMRequest(messages=HELLO.messages, model="../x"))
    assert not replay.requests


# A server that goes away, or whose client does


async def test_stopping_the_connector_ends_what_is_under_way(replay: ReplayServer, connector: GoogleLLM) -> None:
    replay.always = HttpReply.events([event("Hel")], hang=True)
    async with aclosing(connector.stream(HELLO)) as chunks:
        await anext(chunks)
        await connector.stop()
        with pytest.raises(UnavailableError):
            await anext(chunks)


async def test_closing_a_stream_early_frees_its_connection(replay: ReplayServer, connector: GoogleLLM) -> None:
    replay.always = HttpReply.events([event("Hel")], hang=True)
    async with aclosing(connector.stream(HELLO)) as chunks:
        await anext(chunks)
        await replay.wait_until_busy(1)
    async with asyncio.timeout(120):
        await replay.wait_until_busy(0)


async def test_a_connection_that_is_reset_in_mid_stream_is_unavailable(replay: ReplayServer) -> None:
    replay.always = HttpReply.events([event("Hel")], hang=True)
    async with FaultProxy.before(replay.port) as proxy:
        made = GoogleLLM(GoogleSettings(key=SecretStr("key"), url=f"http://127.0.0.1:{proxy.port}"))
        await made.start()
        async with aclosing(made.stream(HELLO)) as chunks:
            assert (await anext(chunks)).text == "Hel"
            proxy.break_off()
            with pytest.raises(UnavailableError):
                await anext(chunks)
        replay.always = GOOD
        assert await ask(made)
        await made.stop()


async def test_a_connection_that_is_closed_at_once_is_unavailable(replay: ReplayServer) -> None:
    async with FaultProxy.before(replay.port) as proxy:
        proxy.refusing = True
        made = GoogleLLM(GoogleSettings(key=SecretStr("key"), url=f"http://127.0.0.1:{proxy.port}"))
        await made.start()
        with pytest.raises(UnavailableError):
            await ask(made)
        await made.stop()


# A server that is slow


async def test_a_silent_server_is_given_up(google: FakeGoogle) -> None:
    port = int(google.url.rpartition(":")[2])
    async with FaultProxy.before(port) as proxy:
        made = gemini(google, url=f"http://127.0.0.1:{proxy.port}", timeout=3)
        await made.start()
        proxy.silent = True
        with pytest.raises(DeadlineError, match="silent for 3 s"):
            await ask(made)
        await proxy.wait_until_open(0)
        proxy.silent = False
        assert await ask(made)
        await made.stop()


async def test_a_slow_server_is_waited_for_piece_by_piece(google: FakeGoogle) -> None:
    port = int(google.url.rpartition(":")[2])
    async with FaultProxy.before(port) as proxy:
        made = gemini(google, url=f"http://127.0.0.1:{proxy.port}", timeout=10)
        await made.start()
        proxy.delay = 0.05
        said = await ask(made, LLMRequest(messages=(Message.user("one two three four"),)))
        assert "".join(chunk.text for chunk in said) == "one two three four"
        await made.stop()


async def test_a_server_that_takes_no_connection_is_unavailable() -> None:
    # It accepts, but never shakes hands, without which there is no connection.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        made = GoogleLLM(GoogleSettings(key=SecretStr("key"), url=url, connect_timeout=0.2))
        await made.start()
        with pytest.raises(UnavailableError, match=r"cannot connect to https://127.* within 0\.2 s"):
            await ask(made)
        await made.stop()


# Access tokens of Vertex AI


async def test_a_token_that_was_revoked_is_replaced(google: FakeGoogle) -> None:
    made = vertex(google)
    await made.start()
    await ask(made)
    google.tokens.clear()
    assert await ask(made)
    google.tokens.clear()
    assert await made.embed(["hello"])
    await made.stop()


async def test_a_token_that_is_never_good_is_not_asked_for_without_end(
    server: FakeGoogle, replay: ReplayServer
) -> None:
    replay.always = HttpReply.json({"error": {"code": 401, "message": "no"}}, status=401)
    made = vertex(server, url=replay.url)
    await made.start()
    with pytest.raises(UnauthenticatedError):
        await ask(made)
    assert len(replay.requests) == 2
    await made.stop()


async def test_two_hundred_calls_fetch_one_token(google: FakeGoogle) -> None:
    before = len(google.tokens)
    made = vertex(google)
    await made.start()
    await asyncio.gather(*(ask(made) for _ in range(200)))
    assert len(google.tokens) == before + 1
    await made.stop()


async def test_a_token_server_that_is_not_there_is_unavailable(server: FakeGoogle) -> None:
    account = json.loads(server.account.text) | {"token_uri": f"http://127.0.0.1:{free_port()}/token"}
    made = vertex(server, credentials=SecretStr(json.dumps(account)))
    await made.start()
    with pytest.raises(UnavailableError, match="no access token"):
        await ask(made)
    await made.stop()


@pytest.mark.parametrize(("timeout", "patience"), [(0.3, 60), (300, 0.3)])
async def test_a_token_server_that_is_silent_is_given_up_and_asked_once_at_a_time(
    server: FakeGoogle, monkeypatch: pytest.MonkeyPatch, timeout: float, patience: float
) -> None:
    monkeypatch.setattr("sre_google.auth._PATIENCE", patience)
    async with ReplayServer.running(always=HttpReply(hang=True)) as silent:
        account = json.loads(server.account.text) | {"token_uri": f"{silent.url}/token"}
        made = vertex(server, credentials=SecretStr(json.dumps(account)), timeout=timeout)
        await made.start()
        async with asyncio.timeout(120):
            for call in (ask(made), made.embed(["hello"]), made.ping()):
                with pytest.raises((DeadlineError, UnavailableError), match="no access token"):
                    await call
            # Nor does a thread wait any longer.
            await silent.wait_until_busy(0)
        assert silent.busiest == 1
        await made.stop()


async def test_an_account_that_google_does_not_know_is_refused(server: FakeGoogle, replay: ReplayServer) -> None:
    replay.always = HttpReply.json({"error": "invalid_grant", "error_description": "account not found"}, status=400)
    account = json.loads(server.account.text) | {"token_uri": f"{replay.url}/token"}
    made = vertex(server, credentials=SecretStr(json.dumps(account)))
    await made.start()
    with pytest.raises(UnauthenticatedError, match="does not accept the credentials"):
        await ask(made)
    await made.stop()


# Credentials that are missing or wrong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no json", "holds no credentials"),
        ('["a list"]', "holds no credentials"),
        ('{"type": "service_account", "private_key": "-----BEGIN"}', "holds no credentials"),
        ('{"type": "external_account"}', "of type 'external_account'"),
    ],
)
async def test_credentials_that_are_none_are_refused_at_the_start(text: str, message: str) -> None:
    made = GoogleLLM(GoogleSettings(backend="vertex", credentials=SecretStr(text)))
    with pytest.raises(ConfigError, match=message) as refused:
        await made.start()
    assert refused.value.__cause__ is None
    await made.stop()


async def test_a_file_of_credentials_that_is_missing_is_named(tmp_path: Path) -> None:
    made = GoogleLLM(GoogleSettings(backend="vertex", credentials_file=tmp_path / "nowhere.json"))
    with pytest.raises(ConfigError, match=r"nowhere\.json"):
        await made.start()


async def test_credentials_of_a_person_need_a_project() -> None:
    person = {"type": "authorized_user", "client_id": "a", "client_secret": "b", "refresh_token": "c"}
    made = GoogleLLM(GoogleSettings(backend="vertex", credentials=SecretStr(json.dumps(person))))
    with pytest.raises(ConfigError, match="no Google Cloud project"):
        await made.start()
    made = GoogleLLM(GoogleSettings(backend="vertex", credentials=SecretStr(json.dumps(person)), project="p"))
    await made.start()
    await made.stop()


async def test_a_machine_without_credentials_says_how_to_get_some(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Google's library looks into the home folder, and asks the machine, unless it is told a file.
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nowhere.json"))
    made = GoogleLLM(GoogleSettings(backend="vertex", project="some-project"))
    with pytest.raises(UnauthenticatedError) as refused:
        await made.start()
    assert "gcloud auth" in str(refused.value.hint)
    await made.stop()


async def test_the_credentials_of_the_machine_are_found(
    google: FakeGoogle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "account.json"
    file.write_text(google.account.text)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    for made in (vertex(google, credentials=None), vertex(google, credentials=None, credentials_file=file)):
        await made.start()
        assert await ask(made)
        await made.stop()
