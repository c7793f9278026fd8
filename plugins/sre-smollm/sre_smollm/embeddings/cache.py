"""Vectors by what they were made from, bounded by bytes; the least recently used one goes first."""

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["VectorCache"]

# What an entry takes besides its numbers: the key, the array object and its place in the table.
_ENTRY = 300


class VectorCache:
    """A thread-safe cache of float32 vectors; `limit` is in bytes, and 0 keeps nothing."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @staticmethod
    def key(model: str, text: str) -> bytes:
        """16 bytes that differ for another text or another model."""
        digest = hashlib.blake2b(digest_size=16)
        name = model.encode()
        digest.update(len(name).to_bytes(4, "big") + name)
        # A lone surrogate has no UTF-8 form, and is a text all the same.
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.digest()

    def __len__(self) -> int:
        """How many vectors are kept."""
        return len(self._entries)

    @property
    def nbytes(self) -> int:
        """What the vectors take, their keys included."""
        return self._bytes

    def get(self, key: bytes) -> "NDArray[np.float32] | None":
        """The vector, shape (dims,), now the most recently used one; None if it is not kept. Do not write to it."""
        with self._lock:
            vector = self._entries.get(key)
            if vector is not None:
                self._entries.move_to_end(key)
            return vector

    def put(self, key: bytes, vector: "NDArray[np.float32]") -> None:
        """Keep a vector; older ones go until it fits. One that is larger than the limit is not kept."""
        size = vector.nbytes + _ENTRY
        with self._lock:
            old = self._entries.pop(key, None)
            if old is not None:
                self._bytes -= old.nbytes + _ENTRY
            if size > self._limit:
                return
            self._entries[key] = vector
            self._bytes += size
            while self._bytes > self._limit:
                _, gone = self._entries.popitem(last=False)
                self._bytes -= gone.nbytes + _ENTRY

    def clear(self) -> None:
        """Keep nothing of what there is."""
        with self._lock:
            self._entries.clear()
            self._bytes = 0
