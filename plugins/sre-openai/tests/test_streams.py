"""What providers stream, by their documentation, as our chunks; wherever the network cuts it."""

import json
from typing import Any

import pytest

from sre_core.connectors.llm import LLMChunk, fold
from sre_core.messages import FinishReason, Usage
from sre_openai.dialect import Dialect
from sre_openai.events import EventParser
from sre_openai.presets import PRESETS
from sre_openai.reply_error import ReplyError
from sre_openai.state import kept

from .documented import STREAMS, check, pieces  # noqa: TID252 -- the folder of tests is no package
from .replies import chat_events, responses_events  # noqa: TID252


def read(stream: dict[str, Any], size: int) -> list[LLMChunk]:
    reader = Dialect(stream["api"], PRESETS[stream["preset"]], place="host").reader()
    raw = b"".join(pieces(stream))
    parser, chunks = EventParser(), []
    for start in range(0, len(raw), size):
        chunks += reader.read(parser.feed(raw[start : start + size]))
    return [*chunks, *reader.rest(), *filter(None, [reader.end()])]


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_of_the_documentation_is_understood(name: str, size: int):
    check(read(STREAMS[name], size), STREAMS[name])


@pytest.mark.parametrize("name", STREAMS)
def test_fixtures_name_the_page_that_they_follow(name: str):
    assert STREAMS[name]["page"].startswith("https://")


def test_all_providers_but_one_that_is_tested_itself_have_a_stream():
    # llama.cpp's server runs in tests_llamacpp.
    assert {stream["preset"] for stream in STREAMS.values()} == PRESETS.keys() - {"llamacpp"}


def reader_of(api: str) -> Any:
    return Dialect(api, PRESETS["compatible"], place="host").reader()


def test_texts_that_come_together_are_one_chunk_and_others_keep_their_order():
    events = [*chat_events("a", "b"), {"choices": [{"delta": {"reasoning": "hm"}}]}, *chat_events("c", finish=None)]
    chunks = reader_of("chat").read([json.dumps(event).encode() for event in events])
    assert [(chunk.text, chunk.thinking) for chunk in chunks] == [("ab", ""), ("", "hm"), ("c", "")]


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_stream_without_an_end_has_no_last_chunk(api: str):
    reader = reader_of(api)
    events = chat_events("Hello", finish=None) if api == "chat" else responses_events("Hello")[:-1]
    reader.read([json.dumps(event).encode() for event in events])
    assert reader.end() is None


def done(*events: dict[str, Any]) -> LLMChunk | None:
    reader = reader_of("chat")
    reader.read([*(json.dumps(event).encode() for event in events), b"[DONE]"])
    return reader.end()


def test_a_stream_that_says_it_is_done_and_not_why_is_whole_if_anything_came():
    call = {"choices": [{"delta": {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}}]}
    texts, calls = done(*chat_events("Hello", finish=None)), done(call)
    assert texts is not None
    assert texts.finish_reason is FinishReason.STOP
    assert calls is not None
    assert calls.finish_reason is FinishReason.SKILL_CALLS
    assert done(*chat_events("", finish=None)) is None
    assert done() is None


@pytest.mark.parametrize("count", ["1e999", "-1e999", "NaN", "-5", "true", '"7"', "{}"])
def test_counts_that_are_none_are_no_usage(count: str):
    usage = b'{"choices": [], "usage": {"prompt_tokens": %s, "completion_tokens": 2}}' % count.encode()
    reader = reader_of("chat")
    reader.read([*(json.dumps(event).encode() for event in chat_events("a")), usage])
    last = reader.end()
    assert last is not None
    assert last.usage == Usage(output_tokens=2)


def test_an_answer_after_calls_keeps_its_thoughts_for_deepseek():
    reader = Dialect("chat", PRESETS["deepseek"], place="host").reader()
    thought = {"choices": [{"delta": {"reasoning_content": "Hm."}}]}
    reader.read([json.dumps(event).encode() for event in (thought, *chat_events("So."))])
    last = reader.end()
    assert last is not None
    assert last.state == kept("chat@host", "Hm.")


def test_an_empty_note_of_groq_is_passed_over():
    assert reader_of("chat").read([b'{"x_groq": null, "choices": []}']) == []


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize("event", [b"{", b"[]", b"null", b"7", b'"text"', b'{"choices": 3}', b'{"choices": [[]]}'])
def test_what_is_no_event_of_the_protocol_raises(api: str, event: bytes):
    try:
        found = reader_of(api).read([event])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return
    assert found == []


@pytest.mark.parametrize(
    "event",
    [
        {"error": {"message": "Overloaded", "type": "server_error", "code": None}},
        {"error": "it went wrong"},
        {"id": "1", "error": {"code": 502, "message": "Provider disconnected"}, "choices": []},
        {"object": "error", "message": "The engine is dead", "code": 500},
    ],
)
def test_an_error_inside_a_chat_stream_is_reported(event: dict[str, Any]):
    with pytest.raises(ReplyError) as raised:
        reader_of("chat").read([json.dumps(event).encode()])
    assert raised.value.error == event.get("error", event)


@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource", "abort"])
def test_a_server_that_gives_up_is_no_stop(reason: str):
    reader = reader_of("chat")
    reader.read([json.dumps(event).encode() for event in chat_events("Hel", finish=reason)])
    with pytest.raises(ReplyError):
        reader.end()


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.failed", "response": {"error": {"code": "server_error", "message": "Sorry"}}},
        {"type": "error", "code": "server_error", "message": "Sorry", "param": None, "sequence_number": 1},
        {"type": "error", "error": {"code": "server_error", "message": "Sorry"}},
        {"error": {"code": 500, "message": "Sorry"}},
    ],
)
def test_an_error_inside_a_response_is_reported(event: dict[str, Any]):
    with pytest.raises(ReplyError) as raised:
        reader_of("responses").read([json.dumps(event).encode()])
    assert raised.value.error["message"] == "Sorry"


def test_a_call_whose_name_never_comes_is_given_at_the_end():
    reader = reader_of("chat")
    delta = {"tool_calls": [{"index": 0, "id": "c9", "function": {"arguments": "{}"}}]}
    events = chat_events("", finish="tool_calls", **delta)
    assert reader.read([json.dumps(event).encode() for event in events]) == []
    (call,) = reader.rest()
    assert call.call is not None
    assert (call.call.id, call.call.name, call.call.arguments) == ("c9", "", "{}")


def test_events_of_kinds_that_nobody_knows_yet_are_passed_over():
    event = {"type": "response.of.the.future", "output_index": 0, "anything": [1]}
    assert reader_of("responses").read([json.dumps(event).encode()]) == []


def test_a_truncated_argument_is_kept_as_it_is():
    reader = reader_of("chat")
    delta = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"a": "x'}}]}
    chunks = reader.read([json.dumps(event).encode() for event in chat_events("", finish="length", **delta)])
    reply = fold([*chunks, reader.end()])
    assert reply.message.skill_calls[0].arguments == '{"a": "x'
    assert reply.finish_reason is FinishReason.LENGTH
