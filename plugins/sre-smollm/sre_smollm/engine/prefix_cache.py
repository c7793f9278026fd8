"""What was read before, kept for whoever begins with the same tokens."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sre_smollm.networks.base import KVCache

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ids = NDArray[np.int32]

__all__ = ["Entry", "PrefixCache", "common"]


def common(first: "Ids", second: "Ids") -> int:
    """How many tokens two sequences begin with in common."""
    size = min(len(first), len(second))
    differs = first[:size] != second[:size]
    place = int(differs.argmax()) if size else 0
    return place if size and differs[place] else size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """A sequence that nobody works on: its tokens, and their keys and values."""

    ids: "Ids"
    cache: KVCache
    nbytes: int


class PrefixCache:
    """Sequences of tokens with their caches, the least recently used first. For the engine's thread only.

    An entry serves every sequence that shares a prefix with it, however long, as a radix tree would; a list is enough
    since a single comparison rules out nearly every entry.
    """

    def __init__(self) -> None:
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self.nbytes = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, ids: "Ids", most: int) -> tuple[Entry | None, int]:
        """The entry that shares the most first tokens with `ids`, up to `most`, and how many; a whole one if it can."""
        best: Entry | None = None
        size = 0
        for entry in reversed(self._entries.values()):
            length = len(entry.ids)
            longer = size < min(length, most) and entry.ids[size] == ids[size]
            # Of two that share as much, the one that ends there can be taken over without a copy.
            whole = best is not None and length == size < len(best.ids)
            if longer or whole:
                found = min(common(entry.ids, ids), most)
                if found > size or (whole and found == size):
                    best, size = entry, found
        if best is not None:
            self._entries.move_to_end(id(best))
        return best, size

    def add(self, ids: "Ids", cache: KVCache) -> None:
        """Keep what `cache` holds of `ids`. It belongs to the prefix cache from now on."""
        for entry in list(self._entries.values()):
            size = min(len(entry.ids), len(ids))
            if entry.ids[size - 1] != ids[size - 1] or common(entry.ids, ids) < size:
                continue
            if size == len(ids):
                cache.close()
                self._entries.move_to_end(id(entry))
                return
            self.take(entry).close()
        entry = Entry(ids=ids, cache=cache, nbytes=cache.nbytes)
        self._entries[id(entry)] = entry
        self.nbytes += entry.nbytes

    def take(self, entry: Entry) -> KVCache:
        """Its cache, which is no longer kept here."""
        del self._entries[id(entry)]
        self.nbytes -= entry.nbytes
        return entry.cache

    def evict(self, nbytes: int) -> None:
        """Drop the least recently used entries until at most `nbytes` are held."""
        while self._entries and self.nbytes > nbytes:
            self.take(next(iter(self._entries.values()))).close()
            self.evictions += 1

    def halve(self) -> bool:
        """Drop the less recently used half; False when nothing is kept."""
        count = (len(self._entries) + 1) // 2
        for entry in list(self._entries.values())[:count]:
            self.take(entry).close()
        self.evictions += count
        return count > 0
