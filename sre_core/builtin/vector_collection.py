"""One named collection: its index in memory and, if it is kept on disk, its log."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import anyio
import numpy as np

from sre_core import logs
from sre_core.builtin.vector_index import Entry, Floats, VectorIndex, read_vector, read_vectors
from sre_core.builtin.vector_log import SUFFIX, Frame, VectorLog
from sre_core.connectors.vectors import CollectionInfo, Condition, Match, Metric, VectorRecord
from sre_core.errors import ConfigError, ConnectorError

__all__ = ["Collection", "file_name"]

log = logs.get_logger(__name__)
T = TypeVar("T")

_HEAVY = 1_000_000
"""Work in multiplications; less is quicker done at once than in a thread."""

_CONDITION_COST = 256
_RECORD_COST = 2_000
_LIST_COST = 20
_COMPACT_CHUNK = 4096
_WORTH_COMPACTING = 1 << 20


def file_name(collection: str) -> str:
    """The file of a collection: a readable part, then a hash, since file systems fold case and limit lengths."""
    readable = re.sub(r"[^a-z0-9]+", "-", collection.lower())[:60].strip("-")
    return f"{readable}-{hashlib.sha256(collection.encode()).hexdigest()[:16]}{SUFFIX}"


class Collection:
    """Records of one dimension and metric. `lock` is held by whoever changes them."""

    def __init__(self, name: str, dimension: int, metric: Metric, file: VectorLog | None) -> None:
        self.name = name
        self.lock = asyncio.Lock()
        self._index = VectorIndex(dimension, metric)
        self._file = file

    @classmethod
    def load(cls, file: VectorLog) -> "Collection":
        """Replay a log. Blocks; raises ConnectorError, naming the file, when it is damaged."""
        frames = file.replay()
        head, _ = next(frames, ({}, b""))
        try:
            collection = cls(head["name"], head["dimension"], Metric(head["metric"]), file)
            for change, body in frames:
                collection._replay(change, body)
        except (KeyError, TypeError, ValueError) as error:
            raise ConnectorError(
                f"the vector file {str(file.path)!r} cannot be read: {type(error).__name__}",
                hint="a newer version may have written it, or it was altered; nothing was changed",
            ) from error
        collection.compact()
        return collection

    @property
    def info(self) -> CollectionInfo:
        """Name, dimension, metric and count."""
        index = self._index
        return CollectionInfo(name=self.name, dimension=index.dimension, metric=index.metric, count=len(index))

    @property
    def ids(self) -> list[str]:
        """All ids, the longest kept first."""
        return self._index.ids

    @property
    def durable(self) -> bool:
        """Whether changes go to a file."""
        return self._file is not None

    def save_new(self) -> None:
        """Write the file of a new collection. Blocks; raises ConnectorError."""
        if self._file is not None:
            self._file.rewrite(self._frames())

    def delete_file(self) -> None:
        """Delete the file. Blocks; raises ConnectorError."""
        if self._file is not None:
            self._file.remove()

    async def read(self, records: Sequence[VectorRecord]) -> tuple[list[Entry], Floats]:
        """Check a batch and copy it. Raises ConfigError."""
        entries = [_entry(record) for record in records]
        work = len(records) * (self._index.dimension * 8 + _RECORD_COST)
        return entries, await _do(work, lambda: read_vectors(records, self._index.dimension))

    async def put(self, entries: Sequence[Entry], vectors: Floats) -> None:
        """Keep a checked batch, on disk first. Raises ConnectorError."""
        await self._append(_upsert_frame(entries, vectors))
        self._index.put(entries, vectors)
        await self._compact_later()

    async def query(self, vector: Sequence[float], k: int, where: Sequence[Condition]) -> list[Match]:
        """The nearest records. Waits for no change, and sees none that begins after it. Raises ConfigError."""
        query = read_vector(vector, self._index.dimension)
        with self._index.view() as view:
            return await _do(self._work(where), lambda: view.nearest(query, k, where))

    async def records(self, ids: Sequence[str]) -> list[VectorRecord]:
        """The records of those of these ids that are there."""
        entries, vectors = self._index.rows([key for key in ids if self._index.has(key)])
        rows: list[list[float]] = await _do(vectors.size * _LIST_COST, vectors.tolist)
        return [
            VectorRecord(id=entry.id, vector=row, metadata=dict(entry.metadata), text=entry.text)
            for entry, row in zip(entries, rows, strict=True)
        ]

    async def delete(self, ids: Sequence[str], where: Sequence[Condition]) -> int:
        """Forget the records of these ids, or those that meet all conditions. Raises ConnectorError."""
        if where and not ids:
            with self._index.view() as view:
                ids = await _do(self._work(where), lambda: view.ids(where))
        known = [key for key in dict.fromkeys(ids) if self._index.has(key)]
        if known:
            await self._append(({"delete": known}, b""))
            self._index.remove(known)
            self._index.shrink()
            await self._compact_later()
        return len(known)

    def compact(self) -> None:
        """Write the log anew when most of it is of the past. Blocks."""
        if self._wasteful():
            try:
                self.save_new()
            except ConnectorError as error:
                # The old log is whole, so nothing is lost but space.
                log.warning("vector_file_not_compacted", collection=self.name, error=error.message)

    def _work(self, where: Sequence[Condition]) -> int:
        return len(self._index) * (self._index.dimension + _CONDITION_COST * len(where))

    async def _append(self, frame: Frame) -> None:
        if (file := self._file) is not None:
            await anyio.to_thread.run_sync(lambda: file.append(frame))

    async def _compact_later(self) -> None:
        if self._wasteful():
            await anyio.to_thread.run_sync(self.compact)

    def _wasteful(self) -> bool:
        live = len(self._index) * self._index.dimension * 4
        return self._file is not None and self._file.size > 4 * live + _WORTH_COMPACTING

    def _frames(self) -> Iterator[Frame]:
        info = self.info
        yield {"name": info.name, "dimension": info.dimension, "metric": info.metric.value}, b""
        ids = self._index.ids
        for start in range(0, len(ids), _COMPACT_CHUNK):
            yield _upsert_frame(*self._index.rows(ids[start : start + _COMPACT_CHUNK]))

    def _replay(self, change: dict[str, Any], body: bytes) -> None:
        if "delete" in change:
            self._index.remove(change["delete"])
            return
        vectors = np.frombuffer(body, dtype="<f4").reshape(-1, self._index.dimension)
        columns = zip(change["upsert"], change["metadata"], change["texts"], strict=True)
        entries = [Entry(key, metadata, text) for key, metadata, text in columns]
        self._index.put(entries, vectors.astype(np.float32, copy=False))


async def _do(work: int, function: Callable[[], T]) -> T:
    return function() if work < _HEAVY else await anyio.to_thread.run_sync(function)


def _upsert_frame(entries: Sequence[Entry], vectors: Floats) -> Frame:
    head = {
        "upsert": [entry.id for entry in entries],
        "metadata": [entry.metadata for entry in entries],
        "texts": [entry.text for entry in entries],
    }
    return head, vectors.astype("<f4", copy=False).data.cast("B")


def _entry(record: VectorRecord) -> Entry:
    for name, value in record.metadata.items():
        if not isinstance(value, str | int | float | bool):
            raise ConfigError(f"metadata {name!r} of {record.id!r} is {value!r}", hint="use text, numbers or booleans")
    return Entry(record.id, dict(record.metadata), record.text)
