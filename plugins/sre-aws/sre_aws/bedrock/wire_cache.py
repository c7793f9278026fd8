"""What messages look like on the wire, kept for as long as they live: a long talk is not written anew at each turn."""

import weakref

from sre_aws.bedrock.wire import Wire, wire
from sre_core.messages import Message

__all__ = ["WireCache"]


class WireCache:
    """Wire forms by message, for the family of models that read it last."""

    def __init__(self) -> None:
        # By identity: equality would compare all texts. A reference drops its own entry.
        self._known: dict[int, tuple[weakref.ref[Message], str, Wire]] = {}

    def get(self, message: Message, family: str) -> Wire:
        """The message as it is sent. Raises what `wire` raises."""
        key = id(message)
        known = self._known.get(key)
        if known is not None and known[0]() is message and known[1] == family:
            return known[2]
        written = wire(message, family)
        forget = self._known.pop
        self._known[key] = weakref.ref(message, lambda _: forget(key, None)), family, written
        return written
