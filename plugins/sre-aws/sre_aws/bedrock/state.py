"""Signed thoughts: kept with the message that came with them, and put back where they stood.

A reply is a list of blocks: thoughts, texts, calls. A message of ours has one text and a list of calls, so its state
holds the blocks of thought that the service wants back, and says how text and calls lay between them.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sre_core.messages import Message, ProviderState

__all__ = ["NAME", "Layout", "pack", "unpack"]

NAME = "bedrock"
"""Whose state it is."""

Layout = Sequence[Mapping[str, Any]]
"""Thoughts, `{"thought": text, "signature": ...}` or `{"redacted": base64}`; `{"text": 12}` for twelve characters of
the text; and `{"call": True}` for the next call."""

_THOUGHTS = ("thought", "redacted")


def pack(layout: Layout, family: str) -> ProviderState | None:
    """What goes with the message; None when there was no thought that is signed. `family` is whose model thought."""
    kept = [block for block in layout if "thought" not in block or block.get("signature")]
    if not any(key in block for block in kept for key in _THOUGHTS):
        return None
    data = json.dumps({"family": family, "blocks": kept}, ensure_ascii=False)
    return ProviderState(connector=NAME, data=data)


def unpack(message: Message, family: str) -> Layout | None:
    """The layout of an assistant's message; None where there is none that this family of models can read.

    Of a message whose text or calls were changed since, the thoughts come first.
    """
    state = message.state
    if state is None or state.connector != NAME:
        return None
    try:
        found = json.loads(state.data)
        if found["family"] != family:
            return None
        blocks = [dict(block) for block in found["blocks"]]
        thoughts = [block for block in blocks if any(key in block for key in _THOUGHTS)]
        if not all(isinstance(text, str) for block in thoughts for text in block.values()):
            return None
        for block in thoughts:
            base64.b64decode(block.get("redacted", ""), validate=True)
        length = sum(block.get("text", 0) for block in blocks)
        calls = sum("call" in block for block in blocks)
    except (ValueError, TypeError, LookupError, AttributeError):
        return None  # somebody wrote it by hand; without it the conversation still makes sense
    if length == len(message.text) and calls == len(message.skill_calls):
        return blocks
    rest = [{"text": len(message.text)}] + [{"call": True}] * len(message.skill_calls)
    return [*thoughts, *rest]
