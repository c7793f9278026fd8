"""How our collections are laid out in Milvus, and the layout in which each has a collection of its own there."""

import asyncio
from abc import ABC, abstractmethod

from sre_core.connectors.vectors import Metric
from sre_core.errors import ConflictError, NotFoundError
from sre_milvus.names import contract_name, is_hashed, milvus_name
from sre_milvus.places import Place, is_below
from sre_milvus.requests import NAME_PROPERTY
from sre_milvus.store import Store

__all__ = ["Layout", "SeparateLayout", "already_there", "not_there"]

_AT_ONCE = 16
_MOST_KNOWN = 10_000


class Layout(ABC):
    """Finds the place of a collection by its name, and remembers it."""

    def __init__(self, store: Store, prefix: str) -> None:
        """`prefix` is what all names in Milvus begin with."""
        self._store = store
        self._prefix = prefix
        self._known: dict[str, Place] = {}

    @abstractmethod
    async def create(self, collection: str, dimension: int, metric: Metric) -> None:
        """Make a collection. Raises ConflictError when it exists."""

    @abstractmethod
    async def drop(self, collection: str) -> None:
        """Remove a collection; a missing one is not an error."""

    @abstractmethod
    async def places(self, prefix: str) -> list[Place]:
        """Those of the collections at and below `prefix`, sorted by name."""

    @abstractmethod
    async def _look(self, collection: str) -> Place | None:
        """Where a collection is, asked anew."""

    async def find(self, collection: str, *, fresh: bool = False) -> Place:
        """Where a collection is, or was when somebody last looked. Raises NotFoundError."""
        place = None if fresh else self._known.get(collection)
        if place is None:
            place = await self._look(collection)
            if place is None:
                self._known.pop(collection, None)
                raise not_there(collection)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[collection] = place
        return place

    async def find_to_write(self, collection: str) -> Place:
        """Where a collection is, for a call that would not be refused if it were gone. Raises NotFoundError."""
        return await self.find(collection)


class SeparateLayout(Layout):
    """A collection in Milvus for each of ours, whose name tells ours."""

    async def create(self, collection: str, dimension: int, metric: Metric) -> None:
        """Make it in Milvus, indexed and loaded."""
        name = milvus_name(self._prefix, collection)
        if await self._look(collection) is not None:
            raise already_there(collection)
        properties = {NAME_PROPERTY: collection} if is_hashed(self._prefix, name) else {}
        try:
            await self._store.make(name, dimension, metric, about=collection, properties=properties)
        except ConflictError as error:
            raise already_there(collection) from error

    async def drop(self, collection: str) -> None:
        """Remove it from Milvus."""
        self._known.pop(collection, None)
        await self._store.drop(milvus_name(self._prefix, collection))

    async def places(self, prefix: str) -> list[Place]:
        """By the names in Milvus; only those that can be meant are looked at."""
        limit = asyncio.Semaphore(_AT_ONCE)

        async def look(name: str, collection: str | None) -> Place | None:
            async with limit:
                return await self._described(name, collection)

        names = {name: contract_name(self._prefix, name) for name in await self._store.names()}
        wanted = {
            name: collection
            for name, collection in names.items()
            if (is_hashed(self._prefix, name) if collection is None else is_below(collection, prefix))
        }
        found = await asyncio.gather(*(look(name, collection) for name, collection in wanted.items()))
        places = [place for place in found if place is not None and is_below(place.collection, prefix)]
        return sorted(places, key=lambda place: place.collection)

    async def _look(self, collection: str) -> Place | None:
        return await self._described(milvus_name(self._prefix, collection), collection)

    async def _described(self, name: str, collection: str | None) -> Place | None:
        found = await self._store.describe(name)
        if found is None:
            return None
        collection = found.properties.get(NAME_PROPERTY, collection)
        if collection is None:
            return None
        return Place(collection=collection, name=name, dimension=found.dimension, metric=found.metric)


def already_there(collection: str) -> ConflictError:
    """The error for a collection that exists."""
    return ConflictError(f"vector collection {collection!r} exists", hint="drop it first, or use another name")


def not_there(collection: str) -> NotFoundError:
    """The error for a collection that does not."""
    return NotFoundError(f"no vector collection {collection!r}", hint="make it first, with create")
