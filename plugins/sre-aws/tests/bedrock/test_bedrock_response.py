"""Replies from the documentation of AWS, in its own framing, read through its own driver; and streams that break."""

import asyncio
import json
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from sre_aws.bedrock.response import StreamReader
from sre_core.connectors.llm import Completion, LLMRequest, fold
from sre_core.errors import ConnectorError, NotFoundError, RateLimitedError, UnauthenticatedError, UnavailableError
from sre_core.messages import FinishReason, Message
from sre_core.testing.replay import HttpReply, ReplayServer

from .event_stream import event, failure  # noqa: TID252 -- the folder of tests is no package
from .fake_bedrock import at  # noqa: TID252

FIXTURES = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "fixtures").glob("*.json")}
HELLO = LLMRequest(messages=(Message.user("Hello"),))
LONGEST = "redacted_reasoning"


def stream(pieces: list[bytes], *, cut: bool = False) -> HttpReply:
    return HttpReply(headers={"Content-Type": "application/vnd.amazon.eventstream"}, pieces=pieces, cut=cut)


def frames(name: str) -> list[bytes]:
    return [event(kind, data) for kind, data in FIXTURES[name]["events"]]


async def ask(reply: HttpReply) -> Completion:
    async with ReplayServer.running(always=reply) as server:
        connector = at(server.url)
        await connector.start()
        try:
            return fold([chunk async for chunk in connector.stream(HELLO)])
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
async def test_a_documented_reply_is_read_as_it_says(name: str):
    assert FIXTURES[name]["page"].startswith("https://docs.aws.amazon.com/bedrock/")
    assert facts(await ask(stream(frames(name)))) == FIXTURES[name]["expected"]


async def test_the_connection_of_a_reply_is_used_again_though_its_end_comes_after_its_last_event():
    ended, connections = asyncio.Event(), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        data = b"".join(frames("text"))
        with suppress(asyncio.IncompleteReadError), closing(writer):
            while head := await reader.readuntil(b"\r\n\r\n"):
                await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(data) + data)
                await ended.wait()
                ended.clear()
                writer.write(b"\r\n0\r\n\r\n")

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        connector = at(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await connector.start()
        for _ in range(2):
            async for chunk in connector.stream(HELLO):
                if chunk.finish_reason is not None:
                    ended.set()
        await connector.stop()
    assert connections == 1


async def test_a_server_that_does_not_end_its_reply_after_the_last_event_holds_nobody_up():
    reply = HttpReply(headers=stream([]).headers, pieces=frames("text"), hang=True)
    async with asyncio.timeout(120):
        assert facts(await ask(reply)) == FIXTURES["text"]["expected"]


@pytest.mark.parametrize("size", [3, 17])
@pytest.mark.parametrize("name", ["unicode", "parallel_tool_use", LONGEST])
async def test_wherever_a_reply_is_cut_into_pieces_it_reads_the_same(name: str, size: int):
    data = b"".join(frames(name))
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert facts(await ask(stream(pieces))) == FIXTURES[name]["expected"]


def test_signed_and_hidden_thoughts_are_kept_with_the_message():
    reader = StreamReader("anthropic")
    events = [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": "Hm."}}}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "EqQB"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 1, "delta": {"text": "Hi"}}},
        {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"reasoningContent": {"redactedContent": b"\0a"}}}},
        {"contentBlockDelta": {"contentBlockIndex": 2, "delta": {"reasoningContent": {"redactedContent": b"b"}}}},
        {"messageStop": {"stopReason": "end_turn"}},
        {"metadata": {"usage": {}}},
    ]
    message = fold([chunk for one in events for chunk in reader.read(one)]).message
    assert message.state is not None
    assert json.loads(message.state.data) == {
        "family": "anthropic",
        "blocks": [{"thought": "Hm.", "signature": "EqQB"}, {"text": 2}, {"redacted": "AGFi"}],
    }


@pytest.mark.parametrize("end", ["broken", "closed"])
@pytest.mark.parametrize("count", range(len(FIXTURES[LONGEST]["events"]) - 1))
async def test_a_stream_that_ends_between_two_events_is_unavailable(count: int, end: str):
    with pytest.raises(UnavailableError):
        await ask(stream(frames(LONGEST)[:count], cut=end == "broken"))


@pytest.mark.parametrize("end", ["broken", "closed"])
@pytest.mark.parametrize("count", range(len(FIXTURES[LONGEST]["events"]) - 1))
async def test_a_stream_that_ends_inside_an_event_is_unavailable(count: int, end: str):
    pieces = frames(LONGEST)[: count + 1]
    pieces[-1] = pieces[-1][: len(pieces[-1]) // 2]
    with pytest.raises(UnavailableError):
        await ask(stream(pieces, cut=end == "broken"))


async def test_an_event_that_was_damaged_on_the_way_is_no_answer():
    pieces = frames("text")
    pieces[1] = pieces[1][:-8] + b"XX" + pieces[1][-6:]
    with pytest.raises(ConnectorError, match="no stream of events"):
        await ask(stream(pieces))


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("internalServerException", UnavailableError),
        ("modelStreamErrorException", UnavailableError),
        ("serviceUnavailableException", UnavailableError),
        ("throttlingException", RateLimitedError),
        ("validationException", ConnectorError),
        ("aNewException", UnavailableError),
    ],
)
async def test_an_error_in_mid_stream_is_raised_as_what_it_is(kind: str, error: type[ConnectorError]):
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
    with pytest.raises(ConnectorError) as raised:
        await ask(stream([*frames("text")[:2], failure(kind, "what is wrong")]))
    assert type(raised.value) is error
    # Of an error that it does not know, the driver does not read what it says.
    assert kind == "aNewException" or "what is wrong" in raised.value.message


@pytest.mark.parametrize(
    ("status", "code", "message", "error"),
    [
        (403, "AccessDeniedException", "no access", UnauthenticatedError),
        (403, "UnrecognizedClientException", "bad token", UnauthenticatedError),
        (403, "ExpiredTokenException", "old token", UnauthenticatedError),
        (404, "ResourceNotFoundException", "Model is marked as Legacy", NotFoundError),
        (400, "ValidationException", "The provided model identifier is invalid.", NotFoundError),
        (400, "ValidationException", "something else", ConnectorError),
        (408, "ModelTimeoutException", "too slow", UnavailableError),
        (424, "ModelErrorException", "it stumbled", UnavailableError),
        (429, "ThrottlingException", "slow down", RateLimitedError),
        (429, "ModelNotReadyException", "not ready", RateLimitedError),
        (500, "InternalServerException", "broken", UnavailableError),
        (503, "ServiceUnavailableException", "busy", UnavailableError),
    ],
)
async def test_a_documented_error_is_raised_as_what_it_is(
    status: int, code: str, message: str, error: type[ConnectorError]
):
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html#API_runtime_ConverseStream_Errors
    reply = HttpReply.json({"message": message}, status=status, headers={"x-amzn-ErrorType": code})
    with pytest.raises(ConnectorError) as raised:
        await ask(reply)
    assert type(raised.value) is error


async def test_what_the_model_wrote_and_nobody_can_read_is_worth_another_try():
    events = [("messageStart", {"role": "assistant"}), ("messageStop", {"stopReason": "malformed_tool_use"})]
    with pytest.raises(UnavailableError, match="malformed_tool_use"):
        await ask(stream([event(kind, data) for kind, data in events]))


async def test_events_and_blocks_that_are_not_known_yet_are_passed_over():
    pieces = frames("text")
    pieces.insert(1, event("weatherReport", {"sky": "blue"}))
    start = {"contentBlockIndex": 7, "start": {"toolUse": {"toolUseId": "1", "name": "x", "type": "server_tool_use"}}}
    pieces.insert(2, event("contentBlockStart", start))
    pieces.insert(3, event("contentBlockDelta", {"contentBlockIndex": 7, "delta": {"toolUse": {"input": "{}"}}}))
    assert facts(await ask(stream(pieces))) == FIXTURES["text"]["expected"]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": ["Hi"]}}),
        ("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "1", "name": {}}}}),
    ],
)
async def test_what_should_be_text_and_is_none_is_no_answer(kind: str, data: dict[str, Any]):
    with pytest.raises(ConnectorError, match="TypeError"):
        await ask(stream([event(kind, data), *frames("text")]))


def test_a_reason_that_is_not_known_yet_is_an_end():
    reader = StreamReader("anthropic")
    events = [{"messageStop": {"stopReason": "a_new_reason"}}, {"metadata": {"usage": {"inputTokens": 1}}}]
    assert fold([chunk for one in events for chunk in reader.read(one)]).finish_reason is FinishReason.STOP


@pytest.mark.parametrize(("stop", "text"), [("\n\n", "one\ntwo"), ("\n", "one"), ("\t", "one\ntwo\n\nthree")])
def test_a_stop_sequence_of_white_space_is_looked_for_here(stop: str, text: str):
    events: list[dict[str, Any]] = [
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": word}}}
        for word in ("on", "e\ntw", "o\n", "\nth", "ree")
    ]
    events += [{"contentBlockStop": {"contentBlockIndex": 0}}, {"messageStop": {"stopReason": "end_turn"}}]
    events += [{"metadata": {"usage": {}}}]
    reader = StreamReader("meta", [stop])
    completion = fold([chunk for one in events for chunk in reader.read(one)])
    assert completion.message.text == text
    assert completion.finish_reason is FinishReason.STOP
