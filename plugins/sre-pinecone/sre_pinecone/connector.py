"""Vectors in Pinecone."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from sre_core.connectors.base import import_drivers
from sre_core.connectors.vectors import CollectionInfo, Condition, Match, Metric, VectorConnector, VectorRecord
from sre_core.errors import ConfigError, NotFoundError, UnavailableError
from sre_pinecone.settings import PineconeSettings

if TYPE_CHECKING:
    from sre_pinecone.catalogue import Catalogue
    from sre_pinecone.client import Client
    from sre_pinecone.places import Place
    from sre_pinecone.store import Store

__all__ = ["PineconeVectors"]

T = TypeVar("T")

_COUNTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class _Session:
    """What a started connector holds."""

    client: "Client"
    catalogue: "Catalogue"
    store: "Store"


class PineconeVectors(VectorConnector):
    """Vectors in serverless indexes of Pinecone, a namespace for each collection.

    A change returns when it shows. Large namespaces are searched approximately. Scores have the precision of float32.
    """

    name = "pinecone"
    settings_type = PineconeSettings
    capabilities = frozenset({"scan"})

    def __init__(self, settings: PineconeSettings) -> None:
        super().__init__(settings)
        self._settings = settings
        self._session: _Session | None = None

    async def start(self) -> None:
        """Learn which indexes there are. Raises UnavailableError, UnauthenticatedError, ConnectorError."""
        await import_drivers("sre_pinecone.catalogue", "sre_pinecone.client", "sre_pinecone.store")
        from sre_pinecone.catalogue import Catalogue
        from sre_pinecone.client import Client
        from sre_pinecone.store import Store

        client = Client(self._settings)
        catalogue = Catalogue(client, self._settings)
        try:
            await catalogue.open()
        except BaseException:
            await client.close()
            raise
        self._session = _Session(client, catalogue, Store(client, self._settings))

    async def stop(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.client.close()

    async def ping(self) -> None:
        """Raise ConnectorError unless Pinecone answers."""
        await self._opened().catalogue.open()

    async def create(self, collection: str, dimension: int, *, metric: Metric = Metric.COSINE) -> None:
        """Make a collection; the first one of a dimension and metric takes as long as a new index."""
        if dimension < 1:
            raise ConfigError(f"illegal dimension {dimension!r}", hint="a collection needs a dimension of 1 or more")
        await self._opened().catalogue.create(collection, dimension, metric)

    async def drop(self, collection: str) -> None:
        """Remove a collection with all its records; its index stays."""
        await self._opened().catalogue.drop(collection)

    async def collections(self, prefix: str) -> list[CollectionInfo]:
        """The collections at and below `prefix`; all of them when it is empty."""
        session = self._opened()
        limit = asyncio.Semaphore(_COUNTS_AT_ONCE)

        async def info(place: "Place", told: int) -> CollectionInfo:
            async with limit:
                count = await session.store.count(place, told)
            index = place.index
            return CollectionInfo(name=place.collection, dimension=index.dimension, metric=index.metric, count=count)

        places = await session.catalogue.places(prefix)
        return list(await asyncio.gather(*(info(place, told) for place, told in places)))

    async def upsert(self, collection: str, records: Sequence[VectorRecord]) -> None:
        """Keep a batch. It is checked as a whole before any of it is sent; a large one is sent in parts."""
        session = self._opened()
        place = await session.catalogue.find_to_write(collection)
        await self._at(collection, lambda at: session.store.put(at, records), place)

    async def query(
        self, collection: str, vector: Sequence[float], *, k: int, where: Sequence[Condition] = ()
    ) -> list[Match]:
        """The nearest records, as the index finds them."""
        session = self._opened()
        if k < 1:
            raise ConfigError(f"illegal k {k!r}", hint="ask for 1 neighbour or more")

        async def nearest(place: "Place") -> list[Match]:
            found = await session.store.nearest(place, vector, k, where)
            # Pinecone finds nothing in a namespace that does not exist, and says no more.
            if not found and await session.catalogue.look(collection) != place:
                raise NotFoundError(f"no vector collection {collection!r} at its old place")
            return found

        return await self._at(collection, nearest, await session.catalogue.find(collection))

    async def delete(self, collection: str, *, ids: Sequence[str] = (), where: Sequence[Condition] = ()) -> int:
        """Remove records by id, or those that meet all conditions."""
        session = self._opened()

        async def remove(place: "Place") -> int:
            if where and not ids:
                return await session.store.remove_where(place, where)
            return await session.store.remove(place, ids)

        return await self._at(collection, remove, await session.catalogue.find_to_write(collection))

    async def scan(self, collection: str) -> AsyncGenerator[VectorRecord]:
        """All records, in the order in which Pinecone lists their ids."""
        session = self._opened()
        place = await session.catalogue.look(collection)
        async with aclosing(session.store.scan(place)) as records:
            async for record in records:
                yield record

    async def _at(self, collection: str, work: "Callable[[Place], Awaitable[T]]", place: "Place") -> T:
        """Do `work` at a place; once more if the collection was dropped and made anew, perhaps differently."""
        try:
            return await work(place)
        except (ConfigError, NotFoundError):
            now = await self._opened().catalogue.look(collection)
            if now == place:
                raise
        return await work(now)

    def _opened(self) -> _Session:
        if self._session is None:
            raise UnavailableError(f"vectors connector {self.name!r} is not started", hint="use it through a Runtime")
        return self._session
