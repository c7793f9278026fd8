"""Vectors in memory, exact, kept on disk if a folder is given."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from sre_core.connectors.base import Settings
from sre_core.connectors.vectors import (
    CollectionInfo,
    Condition,
    Match,
    Metric,
    VectorConnector,
    VectorRecord,
)
from sre_core.errors import ConfigError, ConflictError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from sre_core.builtin.vector_collection import Collection
    from sre_core.builtin.vector_shelf import VectorShelf

__all__ = ["MemoryVectors", "MemoryVectorsSettings"]

T = TypeVar("T")

_SCANNED_AT_ONCE = 128


class MemoryVectorsSettings(Settings):
    """Without a `folder`, everything is gone when the connector stops.

    With one, a change that was acknowledged survives a kill of the process and, unless `sync` is false, a power
    cut. Only one process may use a folder at a time.
    """

    folder: Path | None = None
    sync: bool = True


class MemoryVectors(VectorConnector):
    """Exact search in float32 matrices in memory, with a log file per collection.

    Scores are computed from the vectors as float32 keeps them. With the cosine metric, a vector of zeros has the
    score 0 with any other. A query sees the records as they were when it began.
    """

    name = "memory"
    settings_type = MemoryVectorsSettings
    capabilities = frozenset({"scan"})

    def __init__(self, settings: MemoryVectorsSettings) -> None:
        super().__init__(settings)
        self._folder = settings.folder
        self._sync = settings.sync
        self._shelf: VectorShelf | None = None
        self._catalogue = asyncio.Lock()
        self._working: set[asyncio.Task[Any]] = set()

    async def start(self) -> None:
        """Load everything. Raises UnavailableError when the folder is in use, ConnectorError when a file is damaged."""
        await self._to_the_end(self._open)

    async def stop(self) -> None:
        """Wait for changes under way, then forget everything that is in memory."""
        while self._working:
            await asyncio.wait(self._working)
        if self._shelf is not None:
            self._shelf.close()
            self._shelf = None

    async def ping(self) -> None:
        """Raise UnavailableError unless started."""
        self._collections()

    async def create(self, collection: str, dimension: int, *, metric: Metric = Metric.COSINE) -> None:
        """Make a collection and, with a folder, its file."""
        if dimension < 1:
            raise ConfigError(f"illegal dimension {dimension!r}", hint="a collection needs a dimension of 1 or more")
        await self._to_the_end(lambda: self._create(collection, dimension, metric))

    async def drop(self, collection: str) -> None:
        """Remove a collection and its file."""
        await self._to_the_end(lambda: self._drop(collection))

    async def collections(self, prefix: str) -> list[CollectionInfo]:
        """The collections at and below `prefix`; all of them when it is empty."""
        below = f"{prefix}/" if prefix else ""
        found = self._collections()
        return [found[name].info for name in sorted(found) if name == prefix or name.startswith(below)]

    async def upsert(self, collection: str, records: Sequence[VectorRecord]) -> None:
        """Keep a batch, all of it or nothing."""
        found = self._find(collection)
        entries, vectors = await found.read(list(records))
        if entries:
            await self._change(found, lambda: found.put(entries, vectors))

    async def query(
        self, collection: str, vector: Sequence[float], *, k: int, where: Sequence[Condition] = ()
    ) -> list[Match]:
        """The nearest records, exactly; a large search runs in a thread."""
        found = self._find(collection)
        if k < 1:
            raise ConfigError(f"illegal k {k!r}", hint="ask for 1 neighbour or more")
        return await found.query(vector, k, where)

    async def delete(self, collection: str, *, ids: Sequence[str] = (), where: Sequence[Condition] = ()) -> int:
        """Remove the records of these ids, or those that meet all conditions."""
        found = self._find(collection)
        return await self._change(found, lambda: found.delete(list(ids), where))

    async def scan(self, collection: str) -> AsyncGenerator[VectorRecord]:
        """The records that there are at the first one, the longest kept first."""
        found = self._find(collection)
        ids = found.ids
        for start in range(0, len(ids), _SCANNED_AT_ONCE):
            for record in await found.records(ids[start : start + _SCANNED_AT_ONCE]):
                yield record

    def _opened(self) -> "VectorShelf":
        if self._shelf is None:
            raise UnavailableError(f"vectors connector {self.name!r} is not started", hint="use it through a Runtime")
        return self._shelf

    def _collections(self) -> "dict[str, Collection]":
        return self._opened().collections

    def _find(self, name: str) -> "Collection":
        found = self._collections().get(name)
        if found is None:
            raise NotFoundError(f"no vector collection {name!r}", hint="make it first, with create")
        return found

    async def _change(self, collection: "Collection", work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run `work` as the only change of its collection; through to the end if it writes a file."""

        async def locked() -> T:
            async with collection.lock:
                if self._collections().get(collection.name) is not collection:
                    raise NotFoundError(f"no vector collection {collection.name!r}", hint="it was dropped meanwhile")
                return await work()

        return await (self._to_the_end(locked) if collection.durable else locked())

    async def _to_the_end(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Await `work`, which goes on when the caller is cancelled: memory and file must not part."""
        task = asyncio.create_task(work())
        self._working.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._working.discard(task)
        # Asking for the error marks it as seen, in case the caller was cancelled.
        if not task.cancelled():
            task.exception()

    async def _open(self) -> None:
        # Only here, since these modules need numpy.
        from sre_core.builtin.vector_shelf import VectorShelf

        shelf = VectorShelf(self._folder, sync=self._sync)
        await anyio.to_thread.run_sync(shelf.open)
        self._shelf = shelf

    async def _create(self, name: str, dimension: int, metric: Metric) -> None:
        async with self._catalogue:
            shelf = self._opened()
            if name in shelf.collections:
                raise ConflictError(f"vector collection {name!r} exists", hint="drop it first, or use another name")
            shelf.collections[name] = await self._blocking(lambda: shelf.make(name, dimension, metric))

    async def _drop(self, name: str) -> None:
        async with self._catalogue:
            collections = self._collections()
            found = collections.get(name)
            if found is None:
                return
            async with found.lock:
                await self._blocking(found.delete_file)
                del collections[name]

    async def _blocking(self, function: Callable[[], T]) -> T:
        return function() if self._folder is None else await anyio.to_thread.run_sync(function)
