"""Replies from the provider's documentation, read by the connector and, beside it, by the official client."""

import json
from pathlib import Path
from typing import Any

import anthropic
import pytest
from pydantic import SecretStr

from sre_anthropic import AnthropicLLM, AnthropicSettings
from sre_anthropic.events import EventReader
from sre_anthropic.response import StreamReader
from sre_core.connectors.llm import Completion, LLMRequest, fold
from sre_core.errors import (
    ConnectorError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)
from sre_core.messages import FinishReason, Message
from sre_core.testing.replay import HttpReply, ReplayServer

FIXTURES = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "fixtures").glob("*.json")}
HELLO = LLMRequest(messages=(Message.user("Hello"),))


def encode(events: list[dict[str, Any]]) -> list[bytes]:
    return [
        b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event, ensure_ascii=False).encode())
        for event in events
    ]


def read(pieces: list[bytes]) -> Completion:
    reader, events = StreamReader(), EventReader()
    return fold([chunk for piece in pieces for event in events.more(piece) for chunk in reader.read(event)])


async def ask(reply: HttpReply, request: LLMRequest = HELLO) -> Completion:
    async with ReplayServer.running(always=reply) as server:
        connector = AnthropicLLM(AnthropicSettings(key=SecretStr("sk-ant-test"), url=server.url))
        await connector.start()
        try:
            return fold([chunk async for chunk in connector.stream(request)])
        finally:
            await connector.stop()


def facts(completion: Completion) -> dict[str, Any]:
    usage = completion.usage
    found = {
        "text": completion.message.text,
        "thinking": completion.thinking,
        "finish": completion.finish_reason.value,
        "calls": [[call.id, call.name, call.arguments] for call in completion.message.skill_calls],
        "usage": {name: getattr(usage, name) for name in type(usage).__dataclass_fields__},
    }
    return {name: value for name, value in found.items() if value or name in {"text", "finish", "usage"}}


@pytest.mark.parametrize("name", FIXTURES)
def test_a_documented_reply_is_read_as_it_says(name: str):
    fixture = FIXTURES[name]
    assert fixture["page"].startswith("https://platform.claude.com/docs/")
    assert facts(read(encode(fixture["events"]))) == fixture["expected"]


@pytest.mark.parametrize("name", FIXTURES)
@pytest.mark.parametrize("size", [1, 7])
def test_wherever_a_reply_is_cut_into_pieces_it_reads_the_same(name: str, size: int):
    data = b"".join(encode(FIXTURES[name]["events"]))
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert facts(read(pieces)) == FIXTURES[name]["expected"]


@pytest.mark.parametrize("name", FIXTURES)
def test_line_ends_of_any_kind_read_the_same(name: str):
    data = b"".join(encode(FIXTURES[name]["events"])).replace(b"\n", b"\r\n")
    assert facts(read([data[start : start + 5] for start in range(0, len(data), 5)])) == FIXTURES[name]["expected"]


@pytest.mark.parametrize("name", [name for name in FIXTURES if FIXTURES[name].get("official", True)])
async def test_the_official_client_understands_the_fixture_alike(name: str):
    fixture = FIXTURES[name]
    reply = HttpReply.events(encode(fixture["events"]))
    ours = await ask(reply)
    assert facts(ours) == fixture["expected"]
    async with (
        ReplayServer.running(always=reply) as server,
        anthropic.AsyncAnthropic(api_key="sk-ant-test", base_url=server.url, max_retries=0) as client,
    ):
        messages = [{"role": "user", "content": "Hello"}]
        async with client.messages.stream(model="claude-opus-5-5", max_tokens=99, messages=messages) as stream:
            theirs = await stream.get_final_message()
    text = "".join(block.text for block in theirs.content if block.type == "text")
    # A refusal before the first word has no text; the connector gives the reason that comes with it.
    assert ours.message.text == (text or fixture["expected"]["text"])
    assert ours.thinking == "".join(block.thinking for block in theirs.content if block.type == "thinking")
    calls = [(block.id, block.name, block.input) for block in theirs.content if block.type == "tool_use"]
    assert [(call.id, call.name, json.loads(call.arguments)) for call in ours.message.skill_calls] == calls
    assert ours.usage.output_tokens == theirs.usage.output_tokens


# Streams that break

LONGEST = "interleaved_thinking"


@pytest.mark.parametrize("end", ["broken", "closed"])
@pytest.mark.parametrize("count", range(len(FIXTURES[LONGEST]["events"])))
async def test_a_stream_that_ends_between_two_events_is_unavailable(count: int, end: str):
    pieces = encode(FIXTURES[LONGEST]["events"])[:count]
    with pytest.raises(UnavailableError):
        await ask(HttpReply.events(pieces, cut=end == "broken"))


@pytest.mark.parametrize("end", ["broken", "closed"])
@pytest.mark.parametrize("count", range(len(FIXTURES[LONGEST]["events"])))
async def test_a_stream_that_ends_inside_an_event_is_unavailable(count: int, end: str):
    pieces = encode(FIXTURES[LONGEST]["events"])[: count + 1]
    pieces[-1] = pieces[-1][: len(pieces[-1]) // 2]
    with pytest.raises(UnavailableError):
        await ask(HttpReply.events(pieces, cut=end == "broken"))


async def test_an_event_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sre_anthropic.events._LARGEST", 1000)
    with pytest.raises(ConnectorError, match="no answer of this API"):
        await ask(HttpReply.events([b"data: ", *[b"x" * 300] * 4]))
    # What has ended counts no more.
    several = [b": a comment" + b" long" * 100 + b"\n\n"] * 5 + encode(FIXTURES["text"]["events"])
    assert facts(await ask(HttpReply.events(several))) == FIXTURES["text"]["expected"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("overloaded_error", UnavailableError),
        ("api_error", UnavailableError),
        ("timeout_error", UnavailableError),
        ("a_new_error", UnavailableError),
        ("rate_limit_error", RateLimitedError),
        ("authentication_error", UnauthenticatedError),
        ("permission_error", UnauthenticatedError),
        ("billing_error", UnauthenticatedError),
        ("not_found_error", NotFoundError),
        ("invalid_request_error", ConnectorError),
        ("request_too_large", ConnectorError),
    ],
)
async def test_an_error_in_mid_stream_is_raised_as_what_it_is(kind: str, error: type[ConnectorError]):
    # https://platform.claude.com/docs/en/build-with-claude/streaming#error-events
    told = {"type": "error", "error": {"type": kind, "message": "Overloaded"}}
    events = [*FIXTURES["text"]["events"][:4], told]
    with pytest.raises(ConnectorError) as raised:
        await ask(HttpReply.events(encode(events)))
    assert type(raised.value) is error


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (400, "invalid_request_error", ConnectorError),
        (401, "authentication_error", UnauthenticatedError),
        (402, "billing_error", UnauthenticatedError),
        (403, "permission_error", UnauthenticatedError),
        (404, "not_found_error", NotFoundError),
        (413, "request_too_large", ConnectorError),
        (429, "rate_limit_error", RateLimitedError),
        (500, "api_error", UnavailableError),
        (504, "timeout_error", UnavailableError),
        (529, "overloaded_error", UnavailableError),
    ],
)
async def test_a_documented_error_is_raised_as_what_it_is(status: int, kind: str, error: type[ConnectorError]):
    # https://platform.claude.com/docs/en/api/errors
    body = {"type": "error", "error": {"type": kind, "message": "what is wrong"}, "request_id": "req_011CSHo"}
    with pytest.raises(ConnectorError) as raised:
        await ask(HttpReply.json(body, status=status, headers={"request-id": "req_011CSHo"}))
    assert type(raised.value) is error
    assert error is UnauthenticatedError or "what is wrong (req_011CSHo)" in raised.value.message


async def test_a_reply_without_a_reason_to_end_is_no_reply():
    events = [event for event in FIXTURES["text"]["events"] if event["type"] != "message_delta"]
    with pytest.raises(ConnectorError, match="no answer of this API"):
        await ask(HttpReply.events(encode(events)))


async def test_a_redirection_is_not_followed_with_the_key():
    async with ReplayServer.running() as thief:
        with pytest.raises(ConnectorError, match="redirection"):
            await ask(HttpReply(status=307, headers={"Location": f"{thief.url}/v1/messages"}))
        assert thief.requests == []


@pytest.mark.parametrize(
    "event",
    [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ["Hi"]}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t1", "name": {}}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": 7, "name": "add"}},
    ],
)
async def test_what_should_be_text_and_is_none_is_no_answer(event: dict[str, Any]):
    events = [*FIXTURES["text"]["events"][:2], event, *FIXTURES["text"]["events"][2:]]
    with pytest.raises(ConnectorError, match="no answer of this API"):
        await ask(HttpReply.events(encode(events)))


def test_a_reason_that_is_not_known_yet_is_an_end():
    events = [dict(event) for event in FIXTURES["text"]["events"]]
    events[-2] = {"type": "message_delta", "delta": {"stop_reason": "a_new_reason"}, "usage": {"output_tokens": 3}}
    assert read(encode(events)).finish_reason is FinishReason.STOP


@pytest.mark.parametrize(("stop", "text"), [("\n\n", "one\ntwo"), ("\n", "one"), ("\t", "one\ntwo\n\nthree")])
def test_a_stop_sequence_of_white_space_is_looked_for_here(stop: str, text: str):
    start, *_ = FIXTURES["text"]["events"]
    words = ["on", "e\ntw", "o\n", "\nth", "ree"]
    events = [start, {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}]
    events += [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in words
    ]
    events += [{"type": "content_block_stop", "index": 0}, *FIXTURES["text"]["events"][-2:]]
    reader = StreamReader([stop])
    completion = fold([chunk for event in events for chunk in reader.read(event)])
    assert completion.message.text == text
    assert completion.finish_reason is FinishReason.STOP
    assert completion.usage.input_tokens == 25
