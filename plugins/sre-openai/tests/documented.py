"""The streams of the documentation: their bytes, and what they say."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sre_core.connectors.llm import LLMChunk, fold
from sre_core.messages import FinishReason, Usage

from .wire_writing import sse  # noqa: TID252 -- the folder of tests is no package

FOLDER = Path(__file__).parent / "fixtures"
STREAMS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((FOLDER / "streams").glob("*.json"))
}


def pieces(stream: dict[str, Any]) -> list[bytes]:
    """Its events, each as bytes."""
    named = stream["api"] == "responses"
    events = [sse(event, event["type"] if named else "") for event in stream["events"]]
    return [*events, b"data: [DONE]\n\n"] if stream["done"] else events


def check(chunks: Sequence[LLMChunk], stream: dict[str, Any], *, usage: bool = True) -> None:
    """Whether `chunks` are all that the stream says; without `usage`, its counts may be missing."""
    expected = stream["expected"]
    reply = fold(chunks)
    assert reply.message.text == expected["text"]
    assert reply.thinking == expected.get("thinking", "")
    assert reply.finish_reason is FinishReason(expected["finish"])
    counts = Usage(**expected.get("usage", {}))
    assert reply.usage == counts or (reply.usage == Usage() and not usage)
    found = [[call.id, call.name, call.arguments] for call in reply.message.skill_calls]
    assert found == expected.get("calls", [])
    assert [chunk.finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    state = reply.message.state
    assert (None if state is None else json.loads(state.data)["value"]) == expected.get("state")
