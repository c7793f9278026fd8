"""Responses, their side: the events of a stream as our chunks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from sre_core.connectors.llm import CallDelta, LLMChunk
from sre_core.messages import FinishReason, ProviderState, Usage
from sre_openai import state
from sre_openai.preset import Preset
from sre_openai.reply_error import ReplyError
from sre_openai.usage import usage_of

__all__ = ["ResponsesReader"]

_DONE = b"[DONE]"


@dataclass(slots=True)
class _Call:
    number: int
    shown: str = ""
    """The arguments as far as they were given."""


class ResponsesReader:
    """Reads one stream. `read` gives the chunks of events, `end` the last chunk once the stream is over.

    `done` says that the server has said all. Events that are not of the protocol raise TypeError, ValueError and the
    like; ReplyError is what the server itself says went wrong.
    """

    __slots__ = ("_calls", "_finish", "_origin", "_parts", "_plan", "_refused", "_text", "_usage", "done")

    def __init__(self, preset: Preset, origin: str) -> None:
        self.done = False
        self._origin = origin
        self._usage: Usage | None = None
        self._finish: FinishReason | None = None
        self._refused = False
        self._calls: dict[int, _Call] = {}
        self._plan: dict[int, dict[str, Any]] = {}
        self._text: dict[int, int] = {}
        self._parts = 0

    def read(self, events: Sequence[bytes]) -> list[LLMChunk]:
        """The chunks of some events; texts that came together become one."""
        chunks: list[LLMChunk] = []
        texts: list[str] = []
        for data in events:
            if data == _DONE:
                self.done = True
                continue
            for chunk in self._event(from_json(data)):
                if chunk.text:
                    texts.append(chunk.text)
                    continue
                if texts:
                    chunks.append(LLMChunk(text="".join(texts)))
                    texts.clear()
                chunks.append(chunk)
        return [*chunks, LLMChunk(text="".join(texts))] if texts else chunks

    def _event(self, event: Any) -> list[LLMChunk]:
        if "type" not in event and (error := event.get("error")):
            raise ReplyError(error)
        match event["type"]:
            case "response.output_text.delta":
                return self._said(event)
            case "response.function_call_arguments.delta":
                return self._arguments(event["output_index"], event["delta"])
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                return [LLMChunk(thinking=event["delta"])] if event["delta"] else []
            case "response.reasoning_summary_part.added":
                self._parts += 1
                return [LLMChunk(thinking="\n\n")] if self._parts > 1 else []
            case "response.refusal.delta":
                self._refused = True
                return self._said(event)
            case "response.output_item.added":
                return self._added(event["output_index"], event["item"])
            case "response.function_call_arguments.done":
                return self._all_arguments(event["output_index"], event["arguments"])
            case "response.output_item.done":
                return self._finished(event["output_index"], event["item"])
            case "response.completed" | "response.incomplete":
                return self._over(event["response"])
            case "response.failed":
                raise ReplyError(event["response"].get("error"))
            case "error":
                raise ReplyError(event.get("error") or event)
        return []

    def end(self) -> LLMChunk | None:
        """The last chunk; None if the stream was cut."""
        if self._finish is None:
            return None
        return LLMChunk(usage=self._usage, state=self._state(), finish_reason=self._finish)

    def rest(self) -> list[LLMChunk]:
        """Nothing: all that came was given."""
        return []

    def _said(self, event: Mapping[str, Any]) -> list[LLMChunk]:
        text, index = event["delta"], event["output_index"]
        if not text:
            return []
        self._text[index] = self._text.get(index, 0) + len(text)
        return [LLMChunk(text=text)]

    def _added(self, index: int, item: Mapping[str, Any]) -> list[LLMChunk]:
        if item["type"] != "function_call" or index in self._calls:
            return []
        call = self._calls[index] = _Call(number=len(self._calls))
        first = CallDelta(index=call.number, id=item.get("call_id") or f"call_{call.number}", name=item["name"])
        return [LLMChunk(call=first)]

    def _arguments(self, index: int, text: str) -> list[LLMChunk]:
        call = self._calls[index]
        call.shown += text
        return [LLMChunk(call=CallDelta(index=call.number, arguments=text))] if text else []

    def _all_arguments(self, index: int, text: str) -> list[LLMChunk]:
        """What is missing of the arguments: some servers send them all at once."""
        if index not in self._calls:
            return []
        shown = self._calls[index].shown
        return self._arguments(index, text[len(shown) :]) if text.startswith(shown) else []

    def _finished(self, index: int, item: Mapping[str, Any]) -> list[LLMChunk]:
        match item["type"]:
            case "function_call":
                chunks = self._added(index, item)
                self._plan[index] = {"call": True}
                return chunks + self._all_arguments(index, item.get("arguments") or "")
            case "message":
                chunks = [] if index in self._text else self._message(index, item)
                self._plan[index] = {"text": self._text.get(index, 0), "phase": item.get("phase")}
                return chunks
            case "reasoning":
                if item.get("encrypted_content") or item.get("content"):
                    self._plan[index] = {"item": {key: item[key] for key in item if key != "status"}}
            case _:
                self._plan[index] = {"item": dict(item)}
        return []

    def _message(self, index: int, item: Mapping[str, Any]) -> list[LLMChunk]:
        """The text of a message that came without deltas."""
        chunks = []
        for part in item.get("content") or ():
            self._refused |= part["type"] == "refusal"
            chunks += self._said({"delta": part.get("text") or part.get("refusal") or "", "output_index": index})
        return chunks

    def _over(self, response: Mapping[str, Any]) -> list[LLMChunk]:
        self.done = True
        self._usage = usage_of(response.get("usage")) or self._usage
        chunks: list[LLMChunk] = []
        if not self._plan and not self._text and not self._calls:
            # Some servers say it here for the first time.
            for index, item in enumerate(response.get("output") or ()):
                chunks += self._finished(index, item)
        self._finish = self._reason(response)
        return chunks

    def _reason(self, response: Mapping[str, Any]) -> FinishReason:
        why = (response.get("incomplete_details") or {}).get("reason")
        if self._refused or why == "content_filter":
            return FinishReason.CONTENT_FILTER
        if why is not None or response.get("status") == "incomplete":
            return FinishReason.LENGTH
        return FinishReason.SKILL_CALLS if self._calls else FinishReason.STOP

    def _state(self) -> ProviderState | None:
        """The order of what came, with what only the server understands; None if text and calls say it all."""
        plan = [self._plan[index] for index in sorted(self._plan)]
        if not any("item" in step or step.get("phase") for step in plan):
            return None
        return state.kept(self._origin, plan)
