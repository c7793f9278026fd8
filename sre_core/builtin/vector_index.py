"""One collection of vectors in memory, and the exact search for the nearest of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sre_core.builtin.vector_filter import predicate
from sre_core.connectors.vectors import Condition, Match, Metric, Scalar, VectorRecord
from sre_core.errors import ConfigError

__all__ = ["Entry", "VectorIndex", "View", "read_vector", "read_vectors"]

Floats = NDArray[np.float32]
Slots = NDArray[np.intp]

_CHUNK = 1024
_SMALLEST_CAPACITY = 64
_TINY = float(np.finfo(np.float32).tiny)
_EPSILON = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a record holds beside its vector."""

    id: str
    metadata: dict[str, Scalar] = field(default_factory=dict)
    text: str = ""


def read_vector(vector: Sequence[float], dimension: int) -> Floats:
    """The vector as float32. Raises ConfigError on a wrong dimension, NaN and infinite values."""
    rows = read_vectors([VectorRecord(id="", vector=vector)], dimension)
    return rows.reshape(dimension)


def read_vectors(records: Sequence[VectorRecord], dimension: int) -> Floats:
    """The vectors of a batch as one float32 array, a row for each. Raises ConfigError, naming the record."""
    rows = np.empty((len(records), dimension), dtype=np.float32)
    with np.errstate(over="ignore"):
        for row, record in zip(rows, records, strict=True):
            what = f"the vector of {record.id!r}" if record.id else "the vector"
            if len(record.vector) != dimension:
                raise ConfigError(
                    f"{what} has {len(record.vector)} values, not {dimension}",
                    hint="use the model that the collection was made for",
                )
            try:
                row[:] = record.vector
            except (TypeError, ValueError, OverflowError) as error:
                raise ConfigError(f"{what} holds something that is not a number") from error
            # Values beyond float32 become infinite in the assignment.
            if not np.isfinite(row).all():
                raise ConfigError(f"{what} has a NaN, an infinite or a too large value")
    return rows


class View:
    """The records of one moment, to search in a thread while the collection changes."""

    def __init__(self, index: "VectorIndex") -> None:
        self._metric = index.metric
        self._dimension = index.dimension
        self._matrix, self._norms, self._weights = index.arrays()
        self._entries = index.entries
        self._slots = index.live_slots()

    def select(self, conditions: Sequence[Condition]) -> Slots | None:
        """The slots of the records that meet all conditions; None means every slot."""
        if not conditions:
            return self._slots
        slots = range(len(self._matrix)) if self._slots is None else self._slots.tolist()
        meets, entries = predicate(conditions), self._entries
        return np.array([slot for slot in slots if meets(entries[slot].metadata)], dtype=np.intp)

    def ids(self, conditions: Sequence[Condition]) -> list[str]:
        """The ids of the records that meet all conditions."""
        slots = self.select(conditions)
        return [self._entries[slot].id for slot in (range(len(self._matrix)) if slots is None else slots.tolist())]

    def nearest(self, query: Floats, k: int, conditions: Sequence[Condition]) -> list[Match]:
        """The `k` best records that meet all conditions, equal scores in order of id."""
        slots = self.select(conditions)
        size = len(self._matrix) if slots is None else len(slots)
        # Rescoring a row costs about eight times its share of the matrix product.
        if size > k and size * 8 > len(self._matrix):
            slots = self._shortlist(query, k, slots)
        elif slots is None:
            slots = np.arange(size)
        scores = self._scores(query, slots).tolist()
        found = [(-score, self._entries[slot]) for score, slot in zip(scores, slots.tolist(), strict=True)]
        found.sort(key=lambda pair: (pair[0], pair[1].id))
        return [
            Match(id=entry.id, score=0.0 - negative, metadata=dict(entry.metadata), text=entry.text)
            for negative, entry in found[:k]
        ]

    def _shortlist(self, query: Floats, k: int, slots: Slots | None) -> Slots:
        """All slots that can be among the `k` best, by one float32 product and a bound on its rounding error.

        The product alone would not do: BLAS may round equal rows differently, and far from the origin the
        rounding of squared distances is larger than the distances.
        """
        length = float(np.linalg.norm(query.astype(np.float64)))
        bound = (self._dimension + 8) * _EPSILON
        norms, weights = self._norms, self._weights
        with np.errstate(all="ignore"):
            if self._metric is Metric.COSINE:
                query = (query / (length or 1.0)).astype(np.float32)
            fast = self._matrix @ query
            if slots is not None:
                fast, norms, weights = fast[slots], norms[slots], weights[slots]
            slack: Floats | float = bound
            if self._metric is Metric.COSINE:
                fast *= weights
            elif self._metric is Metric.DOT:
                slack = norms * np.float32(bound * length) + np.float32(_TINY * self._dimension)
            else:
                fast -= weights
                slack = (norms * np.float32(length) + weights) * np.float32(bound)
                slack += np.float32(_TINY * (self._dimension + 2))
            low = fast - slack
            if np.isfinite(low).all():
                cut = np.partition(low, len(low) - k)[len(low) - k]
                chosen = np.flatnonzero(fast + slack >= cut)
            else:
                # Some value is too large or too small for float32 arithmetic: everybody is rescored.
                chosen = np.arange(len(low))
        return chosen if slots is None else slots[chosen]

    def _scores(self, query: Floats, slots: Slots) -> NDArray[np.float64]:
        """The scores of these slots, computed in float64, then rounded to float32's precision.

        So equal vectors have equal scores, and those that differ by the last bit of a division have too.
        """
        wide = query.astype(np.float64)
        length = float(np.linalg.norm(wide))
        scores = np.zeros(len(slots))
        for start in range(0, len(slots), _CHUNK):
            rows = self._matrix[slots[start : start + _CHUNK]].astype(np.float64)
            part = scores[start : start + _CHUNK]
            if self._metric is Metric.L2:
                rows -= wide
                np.negative(np.sqrt((rows * rows).sum(axis=1)), out=part)
                continue
            part[:] = (rows * wide).sum(axis=1)
            if self._metric is Metric.COSINE:
                lengths = np.sqrt((rows * rows).sum(axis=1)) * length
                np.divide(part, lengths, out=part, where=lengths > 0)
        mantissa, exponent = np.frexp(scores)
        return np.asarray(np.ldexp(np.rint(mantissa * 2.0**24) / 2.0**24, exponent))


class VectorIndex:
    """Records in slots of one matrix. Not for several threads, except for the views that it hands out.

    A slot whose record was replaced or removed is used again, but never while a view is open.
    """

    def __init__(self, dimension: int, metric: Metric) -> None:
        self.dimension = dimension
        self.metric = metric
        self._clear()

    def _clear(self) -> None:
        self.entries: list[Entry] = []
        self._matrix = np.empty((0, self.dimension), dtype=np.float32)
        self._norms = np.empty(0, dtype=np.float32)
        self._weights = np.empty(0, dtype=np.float32)
        self._live = np.empty(0, dtype=np.bool_)
        self._slots: dict[str, int] = {}
        self._free: list[int] = []
        self._retired: list[int] = []
        self._views = 0

    def __len__(self) -> int:
        """The number of records."""
        return len(self._slots)

    @property
    def ids(self) -> list[str]:
        """All ids, the longest kept first."""
        return list(self._slots)

    def has(self, id: str) -> bool:  # noqa: A002 -- the word of the contract
        """Whether a record of this id is kept."""
        return id in self._slots

    def arrays(self) -> tuple[Floats, Floats, Floats]:
        """The used part of matrix, norms and weights; no copies."""
        used = len(self.entries)
        return self._matrix[:used], self._norms[:used], self._weights[:used]

    def live_slots(self) -> Slots | None:
        """The slots that hold a record; None when all do."""
        used = len(self.entries)
        return None if used == len(self._slots) else np.flatnonzero(self._live[:used])

    def rows(self, ids: Sequence[str]) -> tuple[list[Entry], Floats]:
        """The records of these ids, which must exist, and a copy of their vectors."""
        slots = [self._slots[key] for key in ids]
        return [self.entries[slot] for slot in slots], self._matrix[slots]

    @contextmanager
    def view(self) -> Iterator[View]:
        """The records as they are now; later changes do not show in it."""
        self._views += 1
        try:
            yield View(self)
        finally:
            self._views -= 1
            self._settle()

    def put(self, entries: Sequence[Entry], vectors: Floats) -> None:
        """Keep records, replacing those of the same id; the last one of an id stays."""
        last = {entry.id: number for number, entry in enumerate(entries)}
        if len(last) < len(entries):
            vectors = vectors[list(last.values())]
            entries = [entries[number] for number in last.values()]
        self.remove([entry.id for entry in entries if entry.id in self._slots])
        slots = self._reserve(len(entries))
        for slot, entry in zip(slots, entries, strict=True):
            self.entries[slot] = entry
            self._slots[entry.id] = slot
        squares = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
        norms = np.sqrt(squares)
        self._matrix[slots] = vectors
        self._live[slots] = True
        with np.errstate(over="ignore", divide="ignore"):
            self._norms[slots] = norms
            # Below 1e-30 the float32 product would underflow; infinity makes the search rescore the row.
            inverse = np.where(norms > 1e-30, 1 / norms, np.where(norms > 0, np.inf, 0))
            self._weights[slots] = inverse if self.metric is Metric.COSINE else squares / 2

    def remove(self, ids: Sequence[str]) -> int:
        """Forget the records of these ids; returns how many there were."""
        before = len(self._slots)
        for key in ids:
            slot = self._slots.pop(key, None)
            if slot is not None:
                self._live[slot] = False
                self._retired.append(slot)
        self._settle()
        return before - len(self._slots)

    def shrink(self) -> None:
        """Give back memory when less than a quarter is in use."""
        if self._views or len(self._slots) * 4 >= len(self.entries) or len(self.entries) <= _SMALLEST_CAPACITY:
            return
        entries, vectors = self.rows(self.ids)
        self._clear()
        self.put(entries, vectors)

    def _settle(self) -> None:
        if self._views == 0 and self._retired:
            self._free += self._retired
            self._retired = []

    def _reserve(self, count: int) -> list[int]:
        """`count` slots to write to; doubles the arrays when they are full."""
        slots = [self._free.pop() for _ in range(min(count, len(self._free)))]
        used = len(self.entries)
        missing = count - len(slots)
        needed = used + missing
        if needed > len(self._matrix):
            capacity = max(needed, 2 * len(self._matrix), _SMALLEST_CAPACITY)
            # Open views go on reading the old arrays.
            matrix = np.empty((capacity, self.dimension), dtype=np.float32)
            matrix[:used] = self._matrix[:used]
            self._matrix = matrix
            self._norms = np.resize(self._norms, capacity) if used else np.empty(capacity, dtype=np.float32)
            self._weights = np.resize(self._weights, capacity) if used else np.empty(capacity, dtype=np.float32)
            self._live = np.resize(self._live, capacity) if used else np.empty(capacity, dtype=np.bool_)
        self.entries.extend([Entry("")] * missing)
        return slots + list(range(used, needed))
