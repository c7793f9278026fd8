"""The least that a server says, in both APIs."""

from typing import Any


def chat_events(*texts: str, finish: str | None = "stop", **delta: Any) -> list[dict[str, Any]]:
    """Events of a reply in pieces, as dictionaries."""
    base = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": text} for text in texts]
    events = [base | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    if finish is not None:
        events.append(base | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
        events.append(base | {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
    return events


def responses_events(*texts: str) -> list[dict[str, Any]]:
    """Events of a reply in pieces, as dictionaries."""
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    done = message | {"status": "completed", "content": [{"type": "output_text", "text": "".join(texts)}]}
    return [
        {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": message},
        *({"type": "response.output_text.delta", "output_index": 0, "delta": text} for text in texts),
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {"type": "response.completed", "response": {"status": "completed", "output": [done], "usage": usage}},
    ]
