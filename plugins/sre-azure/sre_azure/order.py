"""Lists in the order of keys, made of lists in the order of names."""

from heapq import heappop, heappush

from sre_azure.names import Names
from sre_core.connectors.storage import ObjectInfo

__all__ = ["InOrder"]


class InOrder:
    """Takes objects as the service lists them, and gives them back in the order of their keys.

    Those that may come too early are held until a key comes that may not; most lists hold nothing.
    """

    def __init__(self, prefix: str) -> None:
        """`prefix` is what is listed, as a key, or empty."""
        self._skip = len(prefix) + 1 if prefix else 0
        self._held: list[tuple[str, ObjectInfo]] = []

    def put(self, info: ObjectInfo) -> list[ObjectInfo]:
        """Take one more; returns those whose turn it is now."""
        if Names.comes_early(info.key[self._skip :]):
            heappush(self._held, (info.key, info))
            return []
        ready = []
        while self._held and self._held[0][0] < info.key:
            ready.append(heappop(self._held)[1])
        return [*ready, info]

    def rest(self) -> list[ObjectInfo]:
        """Those that are still held, when nothing more comes."""
        held, self._held = sorted(self._held), []
        return [info for _, info in held]
