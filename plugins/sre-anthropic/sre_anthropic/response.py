"""The events of a reply as chunks of ours."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sre_anthropic.state import pack
from sre_anthropic.wire import dump
from sre_core import logs
from sre_core.connectors.llm import CallDelta, LLMChunk
from sre_core.connectors.stop_filter import StopFilter
from sre_core.messages import FinishReason, Usage

__all__ = ["StreamError", "StreamReader"]

log = logs.get_logger(__name__)

_FINISH: Mapping[str, FinishReason] = {
    "end_turn": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    # Only tools that run at the provider pause a turn, and none is offered: whatever comes, it is not whole.
    "pause_turn": FinishReason.LENGTH,
    "refusal": FinishReason.CONTENT_FILTER,
    "stop_sequence": FinishReason.STOP,
    "tool_use": FinishReason.SKILL_CALLS,
}


class StreamError(Exception):
    """The server reports an error in mid-stream: its `kind`, as "overloaded_error", and what it says."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class StreamReader:
    """Reads the events of one reply, in their order; `done` says that it is complete.

    Raises StreamError when the server reports one, and LookupError, TypeError, ValueError or AttributeError for what is
    not of the protocol. Events and blocks of an unknown kind are passed over.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self.done = False
        self._stop = StopFilter(stops) if stops else None
        self._blocks: dict[int, dict[str, Any]] = {}
        self._layout: list[dict[str, Any]] = []
        self._calls = 0
        self._said = False
        self._counts: dict[str, Any] = {}
        self._finish: FinishReason | None = None

    def read(self, event: Mapping[str, Any]) -> Iterator[LLMChunk]:
        """The chunks that an event makes; none once the reply is complete."""
        if self.done:
            return
        match event["type"]:
            case "content_block_delta":
                yield from self._block_delta(event)
            case "content_block_start":
                yield from self._block_start(event)
            case "content_block_stop":
                yield from self._block_stop(event)
            case "message_start":
                self._count(event["message"].get("usage"))
            case "message_delta":
                yield from self._message_delta(event)
            case "message_stop":
                yield self._end()
            case "error":
                error = event["error"]
                raise StreamError(str(error["type"]), str(error["message"]))
            case "ping":
                pass
            case kind:
                log.debug("event_passed_over", type=kind)

    def _block_start(self, event: Mapping[str, Any]) -> Iterator[LLMChunk]:
        block = dict(event["content_block"])
        self._blocks[event["index"]] = block
        match block["type"]:
            case "text":
                part = {"text": 0}
                self._layout.append(part)
                block["part"] = part
                yield from self._say(block, _text(block.get("text", "")))
            case "thinking":
                self._layout.append(block)
                block.setdefault("signature", "")
                if _text(block.setdefault("thinking", "")):
                    yield LLMChunk(thinking=block["thinking"])
            case "redacted_thinking":
                self._layout.append(block)
            case "tool_use":
                self._layout.append({"call": True})
                block["call"], block["said"] = self._calls, False
                self._calls += 1
                yield LLMChunk(call=CallDelta(index=block["call"], id=_text(block["id"]), name=_text(block["name"])))
            case kind:
                log.debug("block_passed_over", type=kind)

    def _block_delta(self, event: Mapping[str, Any]) -> Iterator[LLMChunk]:
        block, delta = self._blocks[event["index"]], event["delta"]
        match delta["type"]:
            case "text_delta" if block["type"] == "text":
                yield from self._say(block, _text(delta["text"]))
            case "thinking_delta" if block["type"] == "thinking":
                block["thinking"] += delta["thinking"]
                if delta["thinking"]:
                    yield LLMChunk(thinking=delta["thinking"])
            case "signature_delta" if block["type"] == "thinking":
                block["signature"] += delta["signature"]
            case "input_json_delta" if block["type"] == "tool_use":
                if delta["partial_json"]:
                    block["said"] = True
                    yield LLMChunk(call=CallDelta(index=block["call"], arguments=_text(delta["partial_json"])))

    def _block_stop(self, event: Mapping[str, Any]) -> Iterator[LLMChunk]:
        block = self._blocks[event["index"]]
        if block["type"] == "tool_use" and not block["said"]:
            # A skill that takes nothing, or a server that sends arguments in one piece.
            arguments = dump(block.get("input") or {}).decode()
            yield LLMChunk(call=CallDelta(index=block["call"], arguments=arguments))
        if self._stop is not None and block["type"] == "text":
            yield from self._show(block, self._stop.flush())

    def _message_delta(self, event: Mapping[str, Any]) -> Iterator[LLMChunk]:
        delta = event["delta"]
        self._count(event.get("usage"))
        reason = delta.get("stop_reason")
        if reason is not None:
            if reason not in _FINISH:
                log.warning("stop_reason_unknown", reason=str(reason))
            self._finish = _FINISH.get(reason, FinishReason.STOP)
        details = delta.get("stop_details") or {}
        if self._finish is FinishReason.CONTENT_FILTER and not self._said and details.get("explanation"):
            part = {"text": 0}
            self._layout.append(part)
            yield from self._show({"part": part}, _text(details["explanation"]))

    def _end(self) -> LLMChunk:
        if self._finish is None:
            raise ValueError("the reply ends without a reason")
        return self._last(self._finish)

    def _say(self, block: dict[str, Any], text: str) -> Iterator[LLMChunk]:
        if self._stop is None:
            yield from self._show(block, text)
            return
        yield from self._show(block, self._stop.push(text))
        if self._stop.found:
            # Nobody wants to read on: the caller leaves, which stops the model.
            yield self._last(FinishReason.STOP)

    def _show(self, block: dict[str, Any], text: str) -> Iterator[LLMChunk]:
        if text:
            self._said = True
            block["part"]["text"] += len(text)
            yield LLMChunk(text=text)

    def _last(self, finish: FinishReason) -> LLMChunk:
        self.done = True
        return LLMChunk(usage=_usage(self._counts), state=pack(self._layout), finish_reason=finish)

    def _count(self, usage: Mapping[str, Any] | None) -> None:
        """Counts are cumulative; later ones may leave out what did not change."""
        self._counts |= {name: value for name, value in (usage or {}).items() if value is not None}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("what should be text is none")
    return value


def _usage(counts: Mapping[str, Any]) -> Usage:
    """The API's input tokens are those that were neither read from the cache nor written to it."""
    cached = int(counts.get("cache_read_input_tokens", 0))
    written = int(counts.get("cache_creation_input_tokens", 0))
    details = counts.get("output_tokens_details") or {}
    return Usage(
        input_tokens=int(counts.get("input_tokens", 0)) + cached + written,
        output_tokens=int(counts.get("output_tokens", 0)),
        cached_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=int(details.get("thinking_tokens", 0)),
    )
