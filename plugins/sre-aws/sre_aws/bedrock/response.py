"""The events of a reply as chunks of ours."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sre_aws.bedrock.state import pack
from sre_core import logs
from sre_core.connectors.llm import CallDelta, LLMChunk
from sre_core.connectors.stop_filter import StopFilter
from sre_core.errors import UnavailableError
from sre_core.messages import FinishReason, Usage

__all__ = ["StreamReader"]

log = logs.get_logger(__name__)

_FINISH: Mapping[str, FinishReason] = {
    "content_filtered": FinishReason.CONTENT_FILTER,
    "end_turn": FinishReason.STOP,
    "guardrail_intervened": FinishReason.CONTENT_FILTER,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "refusal": FinishReason.CONTENT_FILTER,
    "stop_sequence": FinishReason.STOP,
    "tool_use": FinishReason.SKILL_CALLS,
}
_MALFORMED = frozenset({"malformed_model_output", "malformed_tool_use"})


class StreamReader:
    """Reads the events of one reply, in their order. `stopped` says that the model is done, `done` that all is said.

    Raises LookupError, TypeError, ValueError or AttributeError for what is not of the protocol, and UnavailableError
    when the model wrote what nobody can read. Events and blocks of an unknown kind are passed over.
    """

    def __init__(self, family: str, stops: Sequence[str] = ()) -> None:
        self.stopped = False
        self.done = False
        self._family = family
        self._stop = StopFilter(stops) if stops else None
        self._blocks: dict[int, dict[str, Any]] = {}
        self._layout: list[dict[str, Any]] = []
        self._calls = 0
        self._usage: Mapping[str, Any] = {}
        self._finish = FinishReason.STOP

    @property
    def hangs_up(self) -> bool:
        """Whether the model would go on, and nobody wants to hear it."""
        return self._stop is not None and bool(self._stop.found)

    def read(self, event: Mapping[str, Any]) -> Iterator[LLMChunk]:
        """The chunks that an event makes; none once the reply is complete."""
        if self.done:
            return
        ((kind, data),) = event.items()
        match kind:
            case "contentBlockDelta":
                yield from self._block_delta(data)
            case "contentBlockStart":
                yield from self._block_start(data)
            case "contentBlockStop":
                yield from self._block_stop(data)
            case "messageStop":
                self._message_stop(data["stopReason"])
            case "metadata":
                self._usage = data.get("usage", {})
                if self.stopped:
                    yield self.last()
            case "messageStart":
                pass
            case _:
                log.debug("event_passed_over", type=kind)

    def last(self) -> LLMChunk:
        """The last chunk, for a reply that ended without a count of its tokens."""
        self.done = True
        state = pack(self._layout, self._family)
        return LLMChunk(usage=_usage(self._usage), state=state, finish_reason=self._finish)

    def _block_start(self, data: Mapping[str, Any]) -> Iterator[LLMChunk]:
        call = data["start"].get("toolUse")
        # Only tools that run at the provider have a type.
        if call is None or call.get("type"):
            log.debug("block_passed_over", type=",".join(data["start"]))
            return
        self._layout.append({"call": True})
        self._blocks[data["contentBlockIndex"]] = {"call": self._calls, "said": False}
        yield LLMChunk(call=CallDelta(index=self._calls, id=_text(call["toolUseId"]), name=_text(call["name"])))
        self._calls += 1

    def _block_delta(self, data: Mapping[str, Any]) -> Iterator[LLMChunk]:
        index, delta = data["contentBlockIndex"], data["delta"]
        if "text" in delta:
            yield from self._say(self._block(index, {"text": 0}), _text(delta["text"]))
        elif "reasoningContent" in delta:
            yield from self._thought(index, delta["reasoningContent"])
        elif "toolUse" in delta and "call" in self._blocks.get(index, {}):
            block = self._blocks[index]
            if delta["toolUse"]["input"]:
                block["said"] = True
                yield LLMChunk(call=CallDelta(index=block["call"], arguments=_text(delta["toolUse"]["input"])))

    def _thought(self, index: int, delta: Mapping[str, Any]) -> Iterator[LLMChunk]:
        if "redactedContent" in delta:
            block = self._block(index, {"redacted": ""})
            whole = base64.b64decode(block["redacted"]) + bytes(delta["redactedContent"])
            block["redacted"] = base64.b64encode(whole).decode()
            return
        block = self._block(index, {"thought": "", "signature": ""})
        block["signature"] += delta.get("signature", "")
        if delta.get("text"):
            block["thought"] += delta["text"]
            yield LLMChunk(thinking=delta["text"])

    def _block(self, index: int, new: dict[str, Any]) -> dict[str, Any]:
        """The block of that index; most kinds begin without an event of their own."""
        if index not in self._blocks:
            self._blocks[index] = new
            self._layout.append(new)
        return self._blocks[index]

    def _block_stop(self, data: Mapping[str, Any]) -> Iterator[LLMChunk]:
        block = self._blocks.get(data["contentBlockIndex"], {})
        if block.get("said") is False:
            yield LLMChunk(call=CallDelta(index=block["call"], arguments="{}"))
        if self._stop is not None and "text" in block:
            yield from self._show(block, self._stop.flush())

    def _say(self, block: dict[str, Any], text: str) -> Iterator[LLMChunk]:
        if self._stop is None:
            yield from self._show(block, text)
            return
        yield from self._show(block, self._stop.push(text))
        if self._stop.found:
            # Nobody wants to read on: the caller leaves, which stops the model.
            self.stopped = True
            yield self.last()

    def _show(self, block: dict[str, Any], text: str) -> Iterator[LLMChunk]:
        if text:
            block["text"] += len(text)
            yield LLMChunk(text=text)

    def _message_stop(self, reason: str) -> None:
        if reason in _MALFORMED:
            raise UnavailableError(
                f"the model wrote what cannot be read ({reason})", hint="try again, or another model"
            )
        if reason not in _FINISH:
            log.warning("stop_reason_unknown", reason=reason)
        self._finish = _FINISH.get(reason, FinishReason.STOP)
        self.stopped = True


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("what should be text is none")
    return value


def _usage(counts: Mapping[str, Any]) -> Usage:
    """The service's input tokens are those that were neither read from the cache nor written to it."""
    cached = int(counts.get("cacheReadInputTokens") or 0)
    written = int(counts.get("cacheWriteInputTokens") or 0)
    return Usage(
        input_tokens=int(counts.get("inputTokens") or 0) + cached + written,
        output_tokens=int(counts.get("outputTokens") or 0),
        cached_tokens=cached,
        cache_write_tokens=written,
    )
