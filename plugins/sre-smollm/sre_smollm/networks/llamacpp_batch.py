"""What llama.cpp reads in one call: tokens of several sequences, side by side."""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sre_smollm.networks.base import Row

__all__ = ["Batch", "Piece", "batches"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The tokens `start` to `stop` of a row; the scores after the last `keep` of them are wanted."""

    row: int
    start: int
    stop: int
    keep: int


def batches(rows: Sequence[Row], *, tokens: int, outputs: int) -> Iterator[list[Piece]]:
    """Cut rows into calls with at most so many tokens and so many wanted scores each. No call is empty."""
    found: list[Piece] = []
    room, wanted = tokens, outputs
    for index, row in enumerate(rows):
        at, first = 0, len(row.ids) - row.keep
        while at < len(row.ids):
            quiet = max(first - at, 0)
            stop = min(len(row.ids), at + min(room, quiet + wanted))
            if stop > at:
                keep = max(stop - max(first, at), 0)
                found.append(Piece(row=index, start=at, stop=stop, keep=keep))
                room, wanted, at = room - (stop - at), wanted - keep, stop
            else:
                yield found
                found, room, wanted = [], tokens, outputs
    if found:
        yield found


class Batch:
    """The arrays of one call, made once and filled again and again."""

    def __init__(self, llama: Any, size: int) -> None:
        import numpy as np

        self._tokens = np.zeros(size, np.int32)
        self._positions = np.zeros(size, np.int32)
        self._counts = np.ones(size, np.int32)
        self._sequences = np.zeros(size, np.int32)
        # Every token has a list of sequences; here each list is one number of the array above.
        self._lists = self._sequences.ctypes.data + self._sequences.itemsize * np.arange(size, dtype=np.uintp)
        self._wanted = np.zeros(size, np.int8)
        number = ctypes.POINTER(ctypes.c_int32)
        self._raw = llama.llama_batch(
            n_tokens=0,
            token=self._tokens.ctypes.data_as(number),
            pos=self._positions.ctypes.data_as(number),
            n_seq_id=self._counts.ctypes.data_as(number),
            seq_id=self._lists.ctypes.data_as(ctypes.POINTER(number)),
            logits=self._wanted.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )

    @property
    def size(self) -> int:
        """Tokens in it now."""
        return int(self._raw.n_tokens)

    @property
    def raw(self) -> Any:
        """The structure that the library takes; valid until the next change of this object."""
        return self._raw

    def clear(self) -> None:
        """Make it empty."""
        self._raw.n_tokens = 0

    def add(self, ids: Sequence[int], *, sequence: int, position: int, keep: int) -> None:
        """Put tokens of a sequence behind those that are there; `position` is the place of the first in it."""
        import numpy as np

        begin, end = self.size, self.size + len(ids)
        self._tokens[begin:end] = ids
        self._positions[begin:end] = np.arange(position, position + len(ids), dtype=np.int32)
        self._sequences[begin:end] = sequence
        self._wanted[begin:end] = 0
        self._wanted[end - keep : end] = 1
        self._raw.n_tokens = end
