"""Vectors in Milvus: a file, a server, or Zilliz Cloud."""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import anyio

from sre_core.connectors.vectors import CollectionInfo, Condition, Match, Metric, VectorConnector, VectorRecord
from sre_core.errors import ConfigError, NotFoundError, UnavailableError
from sre_milvus.places import Place
from sre_milvus.settings import MilvusSettings

if TYPE_CHECKING:
    from sre_milvus.client import Client
    from sre_milvus.layouts import Layout
    from sre_milvus.lite import LiteServer
    from sre_milvus.store import Store

__all__ = ["MilvusVectors"]

T = TypeVar("T")

_COUNTS_AT_ONCE = 16
_ENGINE_MEMORY = "MILVUS_LITE_MEMTABLE_MEMORY_LIMIT_BYTES"
_IMPORT = threading.Lock()


@dataclass(slots=True)
class _Session:
    """What a started connector holds."""

    client: "Client"
    lite: "LiteServer | None"
    store: "Store"
    layout: "Layout"


class MilvusVectors(VectorConnector):
    """Vectors in Milvus. Every read is strongly consistent, so that it sees what was acknowledged before.

    A file is searched exactly; a server by its index, which may miss a neighbour. Scores have the precision of float32.
    """

    name = "milvus"
    settings_type = MilvusSettings
    capabilities = frozenset({"scan"})

    def __init__(self, settings: MilvusSettings) -> None:
        super().__init__(settings)
        self._settings = settings
        self._opening: asyncio.Task[None] | None = None
        self._session: _Session | None = None

    async def start(self) -> None:
        """Open the file or connect. Raises UnavailableError, UnauthenticatedError, ConfigError, ConnectorError."""
        # A thread that opens a file cannot be stopped half-way: `stop` waits for it.
        self._opening = asyncio.create_task(self._open())
        await asyncio.shield(self._opening)

    async def stop(self) -> None:
        """Close the connection, and write and unlock the file."""
        opening, self._opening = self._opening, None
        if opening is not None:
            if not opening.done():
                await asyncio.wait({opening})
            # Asking for the error marks it as seen, in case `start` was cancelled.
            if not opening.cancelled():
                opening.exception()
        session, self._session = self._session, None
        if session is not None:
            await _close(session.client, session.lite)

    async def ping(self) -> None:
        """Raise ConnectorError unless Milvus answers."""
        await self._opened().client.ping()

    async def create(self, collection: str, dimension: int, *, metric: Metric = Metric.COSINE) -> None:
        """Make a collection with its index, and have it loaded."""
        if dimension < 1:
            raise ConfigError(f"illegal dimension {dimension!r}", hint="a collection needs a dimension of 1 or more")
        await self._opened().layout.create(collection, dimension, metric)

    async def drop(self, collection: str) -> None:
        """Remove a collection with all its records."""
        await self._opened().layout.drop(collection)

    async def collections(self, prefix: str) -> list[CollectionInfo]:
        """The collections at and below `prefix`; all of them when it is empty."""
        session = self._opened()
        limit = asyncio.Semaphore(_COUNTS_AT_ONCE)

        async def info(place: Place) -> CollectionInfo | None:
            async with limit:
                try:
                    count = await session.store.count(place)
                except NotFoundError:
                    return None  # dropped meanwhile
            return CollectionInfo(name=place.collection, dimension=place.dimension, metric=place.metric, count=count)

        found = await asyncio.gather(*(info(place) for place in await session.layout.places(prefix)))
        return [info for info in found if info is not None]

    async def upsert(self, collection: str, records: Sequence[VectorRecord]) -> None:
        """Keep a batch. It is checked as a whole before any of it is sent; a large one is sent in parts."""
        session = self._opened()
        place = await session.layout.find_to_write(collection)
        await self._at(collection, lambda at: session.store.put(at, records), place)

    async def query(
        self, collection: str, vector: Sequence[float], *, k: int, where: Sequence[Condition] = ()
    ) -> list[Match]:
        """The nearest records, as the index finds them."""
        session = self._opened()
        if k < 1:
            raise ConfigError(f"illegal k {k!r}", hint="ask for 1 neighbour or more")

        async def nearest(place: Place) -> list[Match]:
            found = await session.store.nearest(place, vector, k, where)
            if not found and place.space and await session.layout.find(collection, fresh=True) != place:
                raise NotFoundError(f"no vector collection {collection!r} at its old place")
            return found

        return await self._at(collection, nearest, await session.layout.find(collection))

    async def delete(self, collection: str, *, ids: Sequence[str] = (), where: Sequence[Condition] = ()) -> int:
        """Remove records by id, or those that meet all conditions."""
        session = self._opened()

        async def remove(place: Place) -> int:
            if where and not ids:
                return await session.store.remove_where(place, where)
            return await session.store.remove(place, ids)

        return await self._at(collection, remove, await session.layout.find_to_write(collection))

    async def scan(self, collection: str) -> AsyncGenerator[VectorRecord]:
        """All records, in order of id."""
        session = self._opened()
        place = await session.layout.find(collection, fresh=True)
        async with aclosing(session.store.scan(place)) as records:
            async for record in records:
                yield record

    async def _at(self, collection: str, work: Callable[[Place], Awaitable[T]], place: Place) -> T:
        """Do `work` at a place; once more if the collection was dropped and made anew, perhaps differently."""
        try:
            return await work(place)
        except (ConfigError, NotFoundError):
            now = await self._opened().layout.find(collection, fresh=True)
            if now == place:
                raise
        return await work(now)

    def _opened(self) -> _Session:
        if self._session is None:
            raise UnavailableError(f"vectors connector {self.name!r} is not started", hint="use it through a Runtime")
        return self._session

    async def _open(self) -> None:
        lite = await anyio.to_thread.run_sync(self._prepare)
        from sre_milvus.client import Client
        from sre_milvus.layouts import SeparateLayout
        from sre_milvus.partitions import PartitionsLayout
        from sre_milvus.store import Store

        client = None
        try:
            client = Client(lite.address if lite is not None else self._settings.address, self._settings)
            await client.open()
        except BaseException:
            await _close(client, lite)
            raise
        store = Store(client, self._settings)
        layout = SeparateLayout if self._settings.layout == "collections" else PartitionsLayout
        self._session = _Session(client, lite, store, layout(store, self._settings.prefix))

    def _prepare(self) -> "LiteServer | None":
        """Import what is slow to import, and open the file if there is one. Blocks."""
        file = self._settings.file
        try:
            with _importing():
                import sre_milvus.store  # noqa: F401 -- so that no later import takes long

                if file is not None:
                    from sre_milvus.lite import LiteServer
        except ImportError:
            raise
        except Exception as error:  # noqa: BLE001 -- it has errors of its own, which can then not be imported either
            # It quotes values of variables, which may be secret.
            raise ConfigError(
                f"pymilvus cannot be imported: {type(error).__name__}",
                hint="it reads variables of the environment that begin with MILVUS_; correct or remove them",
            ) from None
        return None if file is None else LiteServer(file)


async def _close(client: "Client | None", lite: "LiteServer | None") -> None:
    try:
        if client is not None:
            await client.close()
    finally:
        if lite is not None:
            await anyio.to_thread.run_sync(lite.close)


@contextmanager
def _importing() -> Iterator[None]:
    """Have pymilvus and the engine read what we want from the environment, which they do when they are imported.

    pymilvus would take the `.env` file of the project into it. And the engine would write to its segments only when it
    has 128 MiB in memory, all of which it copies for every search: with 8 MiB, a search costs a fifth.
    """
    with _IMPORT:  # two connectors may start at once
        memory = os.environ.get(_ENGINE_MEMORY, str(8 << 20))
        wanted = {"PYTHON_DOTENV_DISABLED": "1", _ENGINE_MEMORY: memory}
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value
