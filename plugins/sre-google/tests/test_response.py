"""Replies as Google documents them, read through the official library: whole, in pieces, and cut."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from sre_core.connectors.llm import LLMChunk, LLMRequest, fold
from sre_core.errors import ConnectorError, ModelReplyError, UnavailableError
from sre_core.messages import FinishReason, Message, Usage
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_google import GoogleLLM, GoogleSettings

FIXTURES = Path(__file__).parent / "fixtures"
REPLIES = [path.stem for path in sorted(FIXTURES.glob("*.json")) if path.stem not in {"errors", "requests"}]
HELLO = LLMRequest(messages=(Message.user("hello"),))

Fixture = Mapping[str, Any]


def load(name: str) -> Fixture:
    found: Fixture = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def sse(events: Sequence[Any]) -> list[bytes]:
    return [b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\r\n\r\n" for event in events]


@pytest.fixture
async def replay() -> AsyncIterator[ReplayServer]:
    async with ReplayServer.running() as server:
        yield server


@pytest.fixture(params=["gemini", "vertex"])
async def connector(request: pytest.FixtureRequest, replay: ReplayServer) -> AsyncIterator[GoogleLLM]:
    made = GoogleLLM(GoogleSettings(backend=request.param, key=SecretStr("key"), url=replay.url))
    await made.start()
    yield made
    await made.stop()


async def ask(connector: GoogleLLM, request: LLMRequest = HELLO) -> list[LLMChunk]:
    async with aclosing(connector.stream(request)) as chunks:
        return [chunk async for chunk in chunks]


def check(chunks: Sequence[LLMChunk], fixture: Fixture, origin: str) -> None:
    expected = fixture["expect"]
    answer = fold(chunks)
    assert answer.message.text == expected["text"]
    assert answer.thinking == expected.get("thinking", "")
    assert answer.finish_reason == FinishReason(expected["finish"])
    assert answer.usage == Usage(**expected["usage"])
    calls = [[call.id, call.name, json.loads(call.arguments)] for call in answer.message.skill_calls]
    assert calls == expected.get("calls", [])
    state = answer.message.state
    kept = None if state is None else json.loads(state.data)
    assert kept == ({"origin": origin, "parts": expected["layout"]} if "layout" in expected else None)


@pytest.mark.parametrize("name", REPLIES)
def test_every_fixture_names_its_page(name: str) -> None:
    assert load(name)["page"].startswith(("https://ai.google.dev/", "https://docs.cloud.google.com/"))


@pytest.mark.parametrize("name", REPLIES)
async def test_a_documented_reply_is_understood(replay: ReplayServer, connector: GoogleLLM, name: str) -> None:
    fixture = load(name)
    replay.always = HttpReply.events(sse(fixture["events"]))
    origin = f"{connector.settings.backend}/gemini-3.8-flash"  # type: ignore[attr-defined]
    check(await ask(connector), fixture, origin)


@pytest.mark.parametrize("name", ["unicode", "parallel_calls", "thinking"])
async def test_a_reply_may_come_in_single_bytes(replay: ReplayServer, connector: GoogleLLM, name: str) -> None:
    fixture = load(name)
    whole = b"".join(sse(fixture["events"]))
    replay.always = HttpReply.events([whole[at : at + 1] for at in range(len(whole))])
    origin = f"{connector.settings.backend}/gemini-3.8-flash"  # type: ignore[attr-defined]
    check(await ask(connector), fixture, origin)


@pytest.mark.parametrize("name", REPLIES)
async def test_a_reply_that_is_cut_between_events_is_unavailable(
    replay: ReplayServer, connector: GoogleLLM, name: str
) -> None:
    events = sse(load(name)["events"])
    for count in range(len(events)):
        for cut in (True, False):
            replay.always = HttpReply.events(events[:count], cut=cut)
            with pytest.raises(UnavailableError):
                await ask(connector)


async def test_a_reply_that_is_cut_anywhere_is_unavailable_or_whole(replay: ReplayServer, connector: GoogleLLM) -> None:
    """Whole only once its last event is, and then it counts although the connection broke."""
    fixture = load("unicode")
    whole = b"".join(sse(fixture["events"]))
    origin = f"{connector.settings.backend}/gemini-3.8-flash"  # type: ignore[attr-defined]
    cuts = [*range(0, len(whole) - 4, 7), len(whole) - 4, len(whole)]
    for end in cuts:
        for cut in (True, False):
            replay.always = HttpReply.events([whole[:end]], cut=cut)
            if end == len(whole) or (end == len(whole) - 4 and not cut):
                check(await ask(connector), fixture, origin)
            else:
                with pytest.raises(UnavailableError):
                    await ask(connector)


@pytest.mark.parametrize("reason", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"])
async def test_a_mistake_of_the_model_is_worth_another_try(
    replay: ReplayServer, connector: GoogleLLM, reason: str
) -> None:
    candidate = {"content": {}, "finishReason": reason, "finishMessage": "Malformed function call: call:f{", "index": 0}
    replay.always = HttpReply.events(sse([{"candidates": [candidate]}]))
    with pytest.raises(UnavailableError, match=reason):
        await ask(connector)


@pytest.mark.parametrize(
    "reason", ["RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "OTHER", "MODEL_ARMOR"]
)
async def test_what_google_holds_back_is_a_matter_of_its_filter(
    replay: ReplayServer, connector: GoogleLLM, reason: str
) -> None:
    replay.always = HttpReply.events(sse([{"candidates": [{"finishReason": reason, "index": 0}]}]))
    answer = fold(await ask(connector))
    assert (answer.message.text, answer.finish_reason) == ("", FinishReason.CONTENT_FILTER)


@pytest.mark.filterwarnings("ignore:.* is not a valid FinishReason:UserWarning")  # of google-genai
@pytest.mark.parametrize("reason", ["A_REASON_OF_TOMORROW", "MISSING_THOUGHT_SIGNATURE"])
async def test_an_end_that_nobody_expects_is_no_quiet_stop(
    replay: ReplayServer, connector: GoogleLLM, reason: str
) -> None:
    replay.always = HttpReply.events(sse([{"candidates": [{"finishReason": reason, "index": 0}]}]))
    with pytest.raises(ConnectorError, match=reason) as refused:
        await ask(connector)
    assert not refused.value.retryable


async def test_an_image_in_an_answer_is_not_lost_in_silence(replay: ReplayServer, connector: GoogleLLM) -> None:
    part = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    replay.always = HttpReply.events(sse([{"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}]}]))
    with pytest.raises(ConnectorError, match="image/png"):
        await ask(connector)


async def test_calls_without_ids_get_ids_that_are_new_in_the_conversation(
    replay: ReplayServer, connector: GoogleLLM
) -> None:
    replay.always = HttpReply.events(sse(load("calls_without_ids")["events"]))
    first = fold(await ask(connector)).message
    results = [Message.result(call, "fine") for call in first.skill_calls]
    second = fold(await ask(connector, LLMRequest(messages=(*HELLO.messages, first, *results)))).message
    assert [call.id for call in first.skill_calls + second.skill_calls] == ["call_0", "call_1", "call_2", "call_3"]


async def test_a_page_after_a_good_beginning_is_a_cut(replay: ReplayServer, connector: GoogleLLM) -> None:
    replay.always = HttpReply.events([sse(load("text")["events"])[0], b"<html>gateway</html>\r\n\r\n"])
    with pytest.raises(UnavailableError):
        await ask(connector)


async def test_a_stream_that_ends_early_leaves_nothing_to_fold(replay: ReplayServer, connector: GoogleLLM) -> None:
    replay.always = HttpReply.events(sse(load("text")["events"])[:1])
    got = []
    async with aclosing(connector.stream(HELLO)) as chunks:
        got.append(await anext(chunks))
        with pytest.raises(UnavailableError, match="broke off"):
            await anext(chunks)
    with pytest.raises(ModelReplyError):
        fold(got)
