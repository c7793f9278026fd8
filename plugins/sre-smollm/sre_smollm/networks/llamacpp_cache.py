"""Caches that are sequences in the one store of keys and values of llama.cpp."""

from typing import Any

from sre_smollm.networks.base import KVCache, OutOfMemoryError

__all__ = ["LlamaCppCache", "Sequences"]


class Sequences:
    """The numbered sequences of a context. Their cells lie in one store, and sequences may share cells."""

    def __init__(self, llama: Any, context: Any, *, count: int, token_bytes: int) -> None:
        self._llama = llama
        self._memory: Any = llama.llama_get_memory(context)
        self._free = list(range(count))
        self.token_bytes = token_bytes

    def take(self) -> int:
        """A sequence that nobody uses. Raises OutOfMemoryError."""
        if not self._free:
            raise OutOfMemoryError("llama.cpp has no sequence left: all are in use")
        return self._free.pop()

    def give(self, sequence: int) -> None:
        """Forget a sequence, and let others use it."""
        self.forget(sequence, 0)
        self._free.append(sequence)

    def forget(self, sequence: int, start: int) -> None:
        """Remove the tokens of a sequence from `start` on."""
        # The context may be closed before its caches.
        if self._memory is not None:
            self._llama.llama_memory_seq_rm(self._memory, sequence, start, -1)

    def copy(self, source: int, target: int, length: int) -> None:
        """Let the first `length` tokens of a sequence belong to another one too. Nothing is copied."""
        if self._memory is not None:
            self._llama.llama_memory_seq_cp(self._memory, source, target, 0, length)

    def close(self) -> None:
        """To be called before the context is freed."""
        self._memory = None


class LlamaCppCache(KVCache):
    """A sequence of llama.cpp, taken when the first token is read. Forks share the cells that they have in common."""

    def __init__(self, sequences: Sequences) -> None:
        self._sequences = sequences
        self._sequence: int | None = None
        self._length = 0

    @property
    def length(self) -> int:
        """Tokens that were read."""
        return self._length

    @property
    def nbytes(self) -> int:
        """What its tokens take in the store, those shared with forks included."""
        return self._length * self._sequences.token_bytes

    def truncate(self, length: int) -> None:
        """Forget all tokens from `length` on; not more than there are."""
        self._check(length)
        if self._sequence is not None and length > 0:
            self._sequences.forget(self._sequence, length)
        elif self._sequence is not None:
            self._sequences.give(self._sequence)
            self._sequence = None
        self._length = length

    def fork(self, length: int) -> "LlamaCppCache":
        """Another cache with the first `length` tokens, in the same cells. Raises OutOfMemoryError."""
        self._check(length)
        made = LlamaCppCache(self._sequences)
        if self._sequence is not None and length > 0:
            self._sequences.copy(self._sequence, made.sequence(), length)
            made.grow(length)
        return made

    def close(self) -> None:
        """Free the cells that no fork has. Safe to call twice."""
        self.truncate(0)

    def sequence(self) -> int:
        """Its sequence, for the network. Raises OutOfMemoryError when it needs one and all are in use."""
        if self._sequence is None:
            self._sequence = self._sequences.take()
        return self._sequence

    def grow(self, count: int) -> None:
        """Note that the network has read so many tokens more."""
        self._length += count

    def _check(self, length: int) -> None:
        if not 0 <= length <= self._length:
            raise ValueError(f"length {length} is not within the {self._length} tokens of the cache")
