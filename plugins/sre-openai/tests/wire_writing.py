"""Our chunks as the streams of both APIs."""

import json
from collections.abc import AsyncIterator
from typing import Any

from sre_core.connectors.llm import LLMChunk
from sre_core.messages import FinishReason, Usage

FINISH = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.SKILL_CALLS: "tool_calls",
    FinishReason.CONTENT_FILTER: "content_filter",
}


def sse(data: Any, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


async def chat_stream(chunks: AsyncIterator[LLMChunk], *, model: str, usage: bool) -> AsyncIterator[bytes]:
    def event(choices: list[Any], **more: Any) -> bytes:
        return sse(
            {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": choices}
            | more
        )

    def delta(finish: str | None = None, **delta: Any) -> bytes:
        return event([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}])

    yield delta(role="assistant", content="", refusal=None)
    async for chunk in chunks:
        if chunk.thinking:
            yield delta(reasoning_content=chunk.thinking)
        if chunk.text:
            yield delta(content=chunk.text)
        if chunk.call is not None:
            call: dict[str, Any] = {"index": chunk.call.index, "function": {"arguments": chunk.call.arguments}}
            if chunk.call.id:
                call |= {"id": chunk.call.id, "type": "function"}
                call["function"]["name"] = chunk.call.name
            yield delta(tool_calls=[call])
        if chunk.finish_reason is not None:
            yield delta(FINISH[chunk.finish_reason])
            if usage and chunk.usage is not None:
                yield event([], usage=chat_usage(chunk.usage))
    yield b"data: [DONE]\n\n"


def chat_usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


class ResponsesStream:
    """Writes the events of one response, item by item, as OpenAI does."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._number = 0
        self._items: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None

    async def write(self, chunks: AsyncIterator[LLMChunk]) -> AsyncIterator[bytes]:
        yield self._event("response.created", response=self._response("in_progress"))
        async for chunk in chunks:
            for event in self._chunk(chunk):
                yield event

    def _chunk(self, chunk: LLMChunk) -> list[bytes]:
        events: list[bytes] = []
        if chunk.thinking:
            events += self._item("reasoning", id="rs_1", summary=[], encrypted_content="sealed:in progress")
            where = {"item_id": "rs_1", "summary_index": 0}
            part = {"type": "summary_text", "text": ""}
            events.append(self._event("response.reasoning_summary_part.added", part=part, **where))
            events.append(self._event("response.reasoning_summary_text.delta", delta=chunk.thinking, **where))
            self._open |= {
                "summary": [{"type": "summary_text", "text": chunk.thinking}],
                "encrypted_content": "sealed:x",
            }
        if chunk.text:
            events += self._item("message", id="msg_1", role="assistant", status="in_progress", content=[])
            where = {"item_id": "msg_1", "content_index": 0}
            if not self._open["content"]:
                part = {"type": "output_text", "text": "", "annotations": []}
                events.append(self._event("response.content_part.added", part=part, **where))
            events.append(self._event("response.output_text.delta", delta=chunk.text, logprobs=[], **where))
            whole = "".join(part["text"] for part in self._open["content"]) + chunk.text
            self._open["content"] = [{"type": "output_text", "text": whole, "annotations": []}]
        if chunk.call is not None:
            if chunk.call.id:
                ids = {"id": f"fc_{chunk.call.index}", "call_id": chunk.call.id}
                events += self._close()
                events += self._item("function_call", name=chunk.call.name, arguments="", status="in_progress", **ids)
            item_id = f"fc_{chunk.call.index}"
            delta = chunk.call.arguments
            events.append(self._event("response.function_call_arguments.delta", item_id=item_id, delta=delta))
            self._open["arguments"] += delta
        if chunk.finish_reason is not None:
            events += self._close()
            events.append(self._last(chunk))
        return events

    def _last(self, chunk: LLMChunk) -> bytes:
        usage = chunk.usage or Usage()
        counted = {
            "input_tokens": usage.input_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": usage.output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": usage.total_tokens,
        }
        if chunk.finish_reason is FinishReason.LENGTH:
            why = {"reason": "max_output_tokens"}
            response = self._response("incomplete") | {"usage": counted, "incomplete_details": why}
            return self._event("response.incomplete", response=response)
        return self._event("response.completed", response=self._response("completed") | {"usage": counted})

    def _item(self, kind: str, **fields: Any) -> list[bytes]:
        if self._open is not None and self._open["type"] == kind and kind != "function_call":
            return []
        events = self._close()
        self._open = {"type": kind, **fields}
        self._items.append(self._open)
        added = {name: value for name, value in self._open.items() if name != "encrypted_content"}
        return [*events, self._event("response.output_item.added", item=added)]

    def _close(self) -> list[bytes]:
        if self._open is None:
            return []
        if "status" in self._open:
            self._open["status"] = "completed"
        events = []
        if self._open["type"] == "function_call":
            arguments, name = self._open["arguments"], self._open["name"]
            where = {"item_id": self._open["id"], "name": name}
            events.append(self._event("response.function_call_arguments.done", arguments=arguments, **where))
        if self._open["type"] == "message":
            (part,) = self._open["content"]
            where = {"item_id": self._open["id"], "content_index": 0}
            events.append(self._event("response.output_text.done", text=part["text"], logprobs=[], **where))
            events.append(self._event("response.content_part.done", part=part, **where))
        events.append(self._event("response.output_item.done", item=self._open))
        self._open = None
        return events

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        where = {"output_index": len(self._items) - 1} if self._items and "response" not in fields else {}
        return sse({"type": kind, "sequence_number": self._number, **where, **fields}, kind)

    def _response(self, status: str) -> dict[str, Any]:
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "model": self._model,
            "output": self._items,
            "parallel_tool_calls": True,
            "temperature": 1.0,
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
        }
