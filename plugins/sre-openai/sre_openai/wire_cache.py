"""The wire forms of what was sent before, so that a long conversation is not written anew at every turn."""

import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from sre_core.messages import Message, SkillSpec

__all__ = ["MessageCache", "SkillCache"]

_LARGE_FILES = 1 << 20
_SKILLS = 512


class MessageCache:
    """Bytes by message, for as long as the message lives."""

    def __init__(self, write: Callable[[Message], bytes]) -> None:
        self._write = write
        # By identity: equality would compare all texts. A reference drops its own entry.
        self._known: dict[int, tuple[weakref.ref[Message], bytes]] = {}

    def large(self, messages: Sequence[Message]) -> list[Message]:
        """Those not written yet whose files are so large that writing them would hold up the loop."""
        return [
            message
            for message in messages
            if message.files
            and sum(len(file.data) for file in message.files) > _LARGE_FILES
            and not self._holds(message)
        ]

    def wire(self, message: Message) -> bytes:
        """The message as it is sent. Raises UnsupportedError when it cannot be."""
        known = self._known.get(id(message))
        if known is not None and known[0]() is message:
            return known[1]
        return self.keep(message, self._write(message))

    def write(self, message: Message) -> bytes:
        """What `wire` would give, computed anew; may run in a thread."""
        return self._write(message)

    def keep(self, message: Message, wire: bytes) -> bytes:
        """Remember what `write` gave."""
        key = id(message)
        forget = self._known.pop
        self._known[key] = weakref.ref(message, lambda _: forget(key, None)), wire
        return wire

    def _holds(self, message: Message) -> bool:
        known = self._known.get(id(message))
        return known is not None and known[0]() is message


class SkillCache:
    """Bytes by skill, for those written last: the schema of a skill stays one object, its SkillSpec does not."""

    def __init__(self, write: Callable[[SkillSpec], bytes]) -> None:
        self._write = write
        self._known: OrderedDict[tuple[str, str, int], tuple[Any, bytes]] = OrderedDict()

    def wire(self, skill: SkillSpec) -> bytes:
        """The skill as it is sent."""
        key = skill.name, skill.description, id(skill.parameters)
        known = self._known.get(key)
        if known is not None:
            return known[1]
        wire = self._write(skill)
        # With the schema itself, so that no other one gets its identity.
        self._known[key] = skill.parameters, wire
        if len(self._known) > _SKILLS:
            self._known.popitem(last=False)
        return wire
