"""Signed thoughts: kept with the message that came with them, and put back where they stood.

A reply is a list of blocks: thoughts, texts, calls. A message of ours has one text and a list of calls, so its state
holds the blocks of thought as they came, and says how text and calls lay between them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sre_core.messages import Message, ProviderState

__all__ = ["NAME", "Layout", "pack", "unpack"]

NAME = "anthropic"
"""Whose state it is."""

Layout = Sequence[Mapping[str, Any]]
"""Blocks of thought; `{"text": 12}` for twelve characters of the text, and `{"call": True}` for the next call."""

_THOUGHTS = frozenset({"thinking", "redacted_thinking"})


def pack(layout: Layout) -> ProviderState | None:
    """What goes with the message; None when there was no thought."""
    if not any("type" in block for block in layout):
        return None
    return ProviderState(connector=NAME, data=json.dumps({"blocks": list(layout)}, ensure_ascii=False))


def unpack(message: Message) -> Layout | None:
    """The layout of an assistant's message; None where there is none.

    Of a message whose text or calls were changed since, the thoughts come first.
    """
    state = message.state
    if state is None or state.connector != NAME:
        return None
    try:
        blocks = json.loads(state.data)["blocks"]
        thoughts = [block for block in blocks if "type" in block]
        if not all(block["type"] in _THOUGHTS for block in thoughts):
            return None
        length = sum(block.get("text", 0) for block in blocks if "type" not in block)
        calls = sum("call" in block for block in blocks)
    except (ValueError, TypeError, LookupError, AttributeError):
        return None  # somebody wrote it by hand; without it the conversation still makes sense
    if length == len(message.text) and calls == len(message.skill_calls):
        return list(blocks)
    rest = [{"text": len(message.text)}] + [{"call": True}] * len(message.skill_calls)
    return [*thoughts, *rest]
