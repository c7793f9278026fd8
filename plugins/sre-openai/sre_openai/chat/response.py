"""Chat completions, their side: the events of a stream as our chunks."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json

from sre_core.connectors.llm import LLMChunk
from sre_core.messages import FinishReason, Usage
from sre_openai import state
from sre_openai.chat.calls import Calls
from sre_openai.preset import Preset
from sre_openai.reply_error import ReplyError
from sre_openai.usage import usage_of

__all__ = ["ChatReader"]

_DONE = b"[DONE]"
_FINISH = {
    "content_filter": FinishReason.CONTENT_FILTER,
    "function_call": FinishReason.SKILL_CALLS,
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "tool_calls": FinishReason.SKILL_CALLS,
}
_FAILED = frozenset({"abort", "error", "insufficient_system_resource"})


class ChatReader:
    """Reads one stream. `read` gives the chunks of events, `end` the last chunk once the stream is over.

    Texts that came together become one chunk: each one costs something in all who pass it on. `done` says that the
    server has said all. Events that are not of the protocol raise TypeError, ValueError and the like; ReplyError is
    what the server itself says went wrong.
    """

    __slots__ = (
        "_calls",
        "_came",
        "_chunks",
        "_finish",
        "_origin",
        "_preset",
        "_refused",
        "_texts",
        "_thoughts",
        "_usage",
        "done",
    )

    def __init__(self, preset: Preset, origin: str) -> None:
        self.done = False
        self._preset = preset
        self._origin = origin
        self._usage: Usage | None = None
        self._finish: str | None = None
        self._refused = False
        self._calls = Calls()
        self._came = False
        self._thoughts: list[Any] = []
        # Of the events that are being read: texts since the last chunk, and chunks.
        self._texts: list[str] = []
        self._chunks: list[LLMChunk] = []

    def read(self, events: Sequence[bytes]) -> list[LLMChunk]:
        """The chunks of some events."""
        for data in events:
            if data == _DONE:
                self.done = True
            else:
                self._event(from_json(data))
        self._flush()
        chunks, self._chunks = self._chunks, []
        if chunks:
            self._came = True
        return chunks

    def _event(self, event: Any) -> None:
        if error := event.get("error"):
            raise ReplyError(error)
        if usage := event.get("usage"):
            self._usage = usage_of(usage) or self._usage
        elif note := event.get("x_groq"):
            self._usage = usage_of(note.get("usage")) or self._usage
        choices = event.get("choices")
        if not choices and event.get("object") == "error":
            raise ReplyError(event)
        for choice in choices or ():
            if choice.get("index"):
                continue
            if delta := choice.get("delta"):
                self._delta(delta)
            if reason := choice.get("finish_reason"):
                self._finish = reason

    def end(self) -> LLMChunk | None:
        """The last chunk; None if the stream was cut. Raises ReplyError when the server gave up.

        Some servers never say why they end: then [DONE] is the end, if anything came before.
        """
        if self._finish in _FAILED:
            raise ReplyError({"message": f"the server gave up ({self._finish})", "type": "server_error"})
        if self._finish is None and not (self.done and (self._came or self._calls)):
            return None
        return LLMChunk(usage=self._usage, state=self._state(), finish_reason=self._reason())

    def rest(self) -> list[LLMChunk]:
        """Calls whose name never came."""
        return [LLMChunk(call=piece) for piece in self._calls.rest()]

    def _reason(self) -> FinishReason:
        reason = _FINISH.get(self._finish or "", FinishReason.STOP)
        if self._refused:
            return FinishReason.CONTENT_FILTER
        if reason in {FinishReason.STOP, FinishReason.SKILL_CALLS}:
            # Some servers say "stop" after calls, and "tool_calls" without any.
            return FinishReason.SKILL_CALLS if self._calls else FinishReason.STOP
        return reason

    def _flush(self) -> None:
        if self._texts:
            text = "".join(self._texts)
            self._texts.clear()
            self._chunks.append(LLMChunk(text=text))

    def _add(self, chunk: LLMChunk) -> None:
        self._flush()
        self._chunks.append(chunk)

    def _delta(self, delta: Mapping[str, Any]) -> None:
        if len(delta) == 1 and isinstance(text := delta.get("content"), str):
            # Nearly all are like this.
            if text:
                self._texts.append(text)
            return
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought:
            self._add(LLMChunk(thinking=_text(thought)))
            if self._preset.thoughts == "reasoning_content":
                self._thoughts.append(thought)
        if self._preset.thoughts == "reasoning_details" and (details := delta.get("reasoning_details")):
            self._thoughts += details
        if content := delta.get("content"):
            if isinstance(content, str):
                self._texts.append(content)
            else:
                self._parts(content)
        if refusal := delta.get("refusal"):
            self._refused = True
            self._texts.append(_text(refusal))
        for call in delta.get("tool_calls") or ():
            if piece := self._calls.add(call):
                self._add(LLMChunk(call=piece))

    def _parts(self, parts: Any) -> None:
        """Content in parts, as Mistral sends it, of which thoughts are one kind."""
        for part in parts:
            if part["type"] == "text":
                self._texts.append(_text(part["text"]))
            elif part["type"] == "thinking":
                text = "".join(_text(piece["text"]) for piece in part["thinking"] if piece["type"] == "text")
                self._add(LLMChunk(thinking=text))
                if self._preset.thoughts == "content":
                    self._thoughts.append(part)

    def _state(self) -> Any:
        """Thoughts that go back with the message."""
        if not self._thoughts:
            return None
        match self._preset.thoughts:
            case "reasoning_content":
                return state.kept(self._origin, "".join(self._thoughts))
            case "reasoning_details":
                return state.kept(self._origin, _joined(self._thoughts))
            case _:
                return state.kept(self._origin, _merged(self._thoughts))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text is due where something else is")
    return value


def _joined(details: list[Any]) -> list[Any]:
    """Pieces of OpenRouter's details, with those that belong together as one."""
    whole: list[dict[str, Any]] = []
    for detail in details:
        last = whole[-1] if whole else None
        if last is None or any(last.get(key) != detail.get(key) for key in ("type", "index", "format")):
            whole.append(dict(detail))
            continue
        for key, value in detail.items():
            old = last.get(key)
            if key in {"text", "summary", "data"} and isinstance(old, str) and isinstance(value, str):
                last[key] = old + value
            elif value is not None:
                last[key] = value
    return whole


def _merged(parts: list[Any]) -> list[Any]:
    """Pieces of Mistral's thoughts as one part."""
    pieces = [piece for part in parts for piece in part["thinking"]]
    if all(piece["type"] == "text" for piece in pieces):
        pieces = [{"type": "text", "text": "".join(piece["text"] for piece in pieces)}]
    return [{"type": "thinking", "thinking": pieces}]
