"""Keeps the keys and values of one sequence in room that is taken ahead. Importing it loads torch."""

import torch

from sre_smollm.networks.base import KVCache
from sre_smollm.networks.memory import memory_errors

__all__ = ["SlabCache"]

# Room is taken for a multiple of so many tokens, and for an eighth more than is needed.
_STEP = 64


class SlabCache(KVCache):
    """For every layer a tensor of keys and one of values, of shape (capacity, key heads, head size).

    A layer's room is made when the layer first writes. What lies behind `length` is free, so a step that fails
    leaves nothing behind.
    """

    def __init__(self) -> None:
        self._layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._length = 0

    @property
    def length(self) -> int:
        """Tokens that were read."""
        return self._length

    @property
    def nbytes(self) -> int:
        """Memory that it holds, in bytes."""
        return sum(keys.nbytes + values.nbytes for keys, values in self._layers.values())

    @property
    def token_bytes(self) -> int:
        """What one token takes, in bytes; 0 before the first."""
        return sum((keys[:1].nbytes + values[:1].nbytes) for keys, values in self._layers.values())

    def truncate(self, length: int) -> None:
        """Forget all tokens from `length` on; not more than there are."""
        if not 0 <= length <= self._length:
            raise ValueError(f"a cache of {self._length} tokens cannot be cut to {length}")
        self._length = length

    def fork(self, length: int) -> "SlabCache":
        """A copy of the first `length` tokens, with as little room as they need. Raises OutOfMemoryError."""
        if not 0 <= length <= self._length:
            raise ValueError(f"a cache of {self._length} tokens cannot be forked at {length}")
        made = SlabCache()
        if length:
            with memory_errors(), torch.inference_mode():
                made._layers = {
                    layer: (_copied(keys, length, length), _copied(values, length, length))
                    for layer, (keys, values) in self._layers.items()
                }
        made._length = length
        return made

    def close(self) -> None:
        """Free the memory. Safe to call twice."""
        self._layers = {}
        self._length = 0

    def write(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Put a layer's keys and values, of shape (tokens, key heads, head size), behind the tokens that were read.

        Gives all of the layer, as views of shape (key heads, tokens, head size). What is written does not count
        before `grow`.
        """
        start = self._length
        end = start + keys.shape[0]
        held = self._layers.get(layer)
        if held is None or held[0].shape[0] < end:
            held = self._room(held, start, end, keys, values)
            self._layers[layer] = held
        held[0][start:end] = keys
        held[1][start:end] = values
        return held[0][:end].transpose(0, 1), held[1][:end].transpose(0, 1)

    def grow(self, tokens: int) -> None:
        """Count `tokens` more, which every layer has written."""
        self._length += tokens

    @staticmethod
    def _room(
        held: tuple[torch.Tensor, torch.Tensor] | None, start: int, end: int, keys: torch.Tensor, values: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        capacity = -(-(end + end // 8) // _STEP) * _STEP
        if held is None:
            return keys.new_empty(capacity, *keys.shape[1:]), values.new_empty(capacity, *values.shape[1:])
        return _copied(held[0], start, capacity), _copied(held[1], start, capacity)


def _copied(slab: torch.Tensor, length: int, capacity: int) -> torch.Tensor:
    """A slab with room for `capacity` tokens that begins with the first `length` of another."""
    made = slab.new_empty(-(-capacity // _STEP) * _STEP, *slab.shape[1:])
    made[:length] = slab[:length]
    return made
