"""Signatures of thoughts: kept with the message that came with them, and put back on the parts that had them.

A reply consists of parts, and Google signs some of them. It wants each signature back on the very part that had it,
text cut where it was cut, and nothing else signed. A message of ours has one text and a list of calls, so its state
says how these lay in parts.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sre_core.messages import Message, ProviderState

__all__ = ["NAME", "Layout", "Part", "pack", "unpack"]

NAME = "google"
"""Whose state it is."""

Part = dict[str, Any]


class Layout:
    """The parts of a reply, as they come: `text`, `thought` and `call`, each with its signature or none."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._signed = False

    def text(self, text: str, signature: str | None) -> None:
        """A piece of the answer; pieces without a signature flow together."""
        last = self._parts[-1] if self._parts else {}
        if signature is None and "text" in last and "signature" not in last:
            last["text"] += len(text)
        elif text or signature is not None:
            self._add({"text": len(text)}, signature)

    def thought(self, text: str, signature: str | None) -> None:
        """A summary of a thought; only one that is signed goes back."""
        if signature is not None:
            self._add({"thought": text}, signature)

    def call(self, signature: str | None) -> None:
        """The next call of a skill."""
        self._add({"call": True}, signature)

    def _add(self, part: Part, signature: str | None) -> None:
        if signature is not None:
            part["signature"] = signature
            self._signed = True
        self._parts.append(part)

    @property
    def parts(self) -> Sequence[Part]:
        """What came, empty if nothing of it was signed."""
        return self._parts if self._signed else ()


def pack(layout: Layout, origin: str) -> ProviderState | None:
    """What goes with the message; None when there was no signature. `origin` is who signed: API and model."""
    if not layout.parts:
        return None
    return ProviderState(connector=NAME, data=json.dumps({"origin": origin, "parts": layout.parts}))


def unpack(message: Message, origin: str) -> Sequence[Mapping[str, Any]] | None:
    """The layout of an assistant's message; None where there is none that holds.

    Signatures of another model or API are not accepted there, and those of a message that was changed since do not
    belong to it any more.
    """
    state = message.state
    if state is None or state.connector != NAME:
        return None
    try:
        found = json.loads(state.data)
        parts = found["parts"]
        length = sum(part.get("text", 0) for part in parts)
        calls = sum("call" in part for part in parts)
        whole = length == len(message.text) and calls == len(message.skill_calls)
        return parts if whole and found["origin"] == origin else None
    except (ValueError, TypeError, LookupError, AttributeError):
        return None  # somebody wrote it by hand; without it the conversation still makes sense
