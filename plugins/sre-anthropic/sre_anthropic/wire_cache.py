"""What messages look like on the wire, kept for as long as they live: a long talk is not written anew at each turn."""

import asyncio
import weakref
from collections.abc import Iterable

from sre_anthropic.wire import Wire, wire
from sre_core.messages import Message

__all__ = ["WireCache"]

_LARGE = 1 << 20


class WireCache:
    """Wire forms by message."""

    def __init__(self) -> None:
        # By identity: equality would compare all texts. A reference drops its own entry.
        self._known: dict[int, tuple[weakref.ref[Message], Wire]] = {}

    def get(self, message: Message) -> Wire:
        """The message as it is sent. Raises what `wire` raises."""
        return self._find(message) or self._keep(message, wire(message))

    async def prepare(self, messages: Iterable[Message]) -> None:
        """Write those with large files in a thread, where they do not hold up the loop. Raises what `wire` raises."""
        for message in messages:
            if message.files and sum(len(file.data) for file in message.files) > _LARGE and not self._find(message):
                self._keep(message, await asyncio.to_thread(wire, message))

    def _find(self, message: Message) -> Wire | None:
        known = self._known.get(id(message))
        return known[1] if known is not None and known[0]() is message else None

    def _keep(self, message: Message, written: Wire) -> Wire:
        key = id(message)
        forget = self._known.pop
        self._known[key] = weakref.ref(message, lambda _: forget(key, None)), written
        return written
