"""Keys and values of one sequence for the compiled network: one array of float16 numbers that grows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sre_smollm.networks.base import KVCache, OutOfMemoryError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["PLACES", "CompiledCache", "Shape"]

PLACES = 64
"""Tokens whose keys lie together; a cache has room for a multiple of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a cache is made for; `size` is that of a head."""

    layers: int
    heads: int
    size: int

    @property
    def token_bytes(self) -> int:
        """Keys and values of one token in all layers."""
        return self.layers * 2 * self.heads * self.size * 2

    def halves(self, data: "NDArray[np.uint16]") -> "tuple[NDArray[np.uint16], NDArray[np.uint16]]":
        """Views of keys (layers, heads, capacity / 64, size, 64) and values (layers, heads, capacity, size)."""
        capacity = data.size // (self.token_bytes // 2)
        both = data.reshape(self.layers, 2, self.heads, self.size * capacity)
        keys = both[:, 0].reshape(self.layers, self.heads, -1, self.size, PLACES)
        return keys, both[:, 1].reshape(self.layers, self.heads, capacity, self.size)


class CompiledCache(KVCache):
    """For each layer and head the keys, as (capacity / 64, head size, 64), and the values, as (capacity, head size)."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._data: NDArray[np.uint16] | None = None
        self.capacity = 0
        self._length = 0

    @property
    def length(self) -> int:
        """Tokens that were read."""
        return self._length

    @property
    def nbytes(self) -> int:
        """Memory that it holds, in bytes."""
        return self.capacity * self._shape.token_bytes

    @property
    def address(self) -> int:
        """Where the array begins."""
        return self._data.ctypes.data if self._data is not None else 0

    def truncate(self, length: int) -> None:
        """Forget all tokens from `length` on."""
        if not 0 <= length <= self._length:
            raise ValueError(f"a cache of {self._length} tokens has no first {length}")
        self._length = length

    def fork(self, length: int) -> "CompiledCache":
        """A copy of the first `length` tokens."""
        if not 0 <= length <= self._length:
            raise ValueError(f"a cache of {self._length} tokens has no first {length}")
        other = CompiledCache(self._shape)
        if length:
            other._fill(self, max(length, 1), length)
        return other

    def reserve(self, tokens: int) -> None:
        """Make room for so many tokens after those that are there. Raises OutOfMemoryError, and nothing changes."""
        needed = self._length + tokens
        if needed > self.capacity:
            self._fill(self, max(needed, self.capacity * 3 // 2), self._length)

    def advance(self, tokens: int) -> None:
        """Count tokens that a step has written."""
        self._length += tokens

    def close(self) -> None:
        """Free the memory."""
        self._data, self.capacity, self._length = None, 0, 0

    def _fill(self, source: "CompiledCache", wanted: int, length: int) -> None:
        """Take a new array with room for `wanted` tokens, and the first `length` of another cache, or of this one."""
        import numpy as np

        shape, capacity = self._shape, -(-wanted // PLACES) * PLACES
        try:
            data: NDArray[np.uint16] = np.empty(shape.token_bytes // 2 * capacity, np.uint16)
        except MemoryError as error:
            raise OutOfMemoryError(f"no memory for a cache of {capacity} tokens") from error
        if length:
            (old_keys, old_values), (keys, values) = source.halves(), shape.halves(data)
            blocks = -(-length // PLACES)
            keys[:, :, :blocks] = old_keys[:, :, :blocks]
            values[:, :, :length] = old_values[:, :, :length]
        self._data, self.capacity, self._length = data, capacity, length

    def halves(self) -> "tuple[NDArray[np.uint16], NDArray[np.uint16]]":
        """The views of `Shape.halves`; not when it is empty."""
        assert self._data is not None, "the cache is empty"  # noqa: S101 -- a fault of the caller
        return self._shape.halves(self._data)
