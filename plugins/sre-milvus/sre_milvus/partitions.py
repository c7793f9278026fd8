"""The layout in which many collections share one in Milvus, each with a value of its partition key."""

import uuid

from sre_core.connectors.vectors import Metric, VectorRecord
from sre_core.errors import ConflictError, NotFoundError
from sre_milvus.filters import both, quoted
from sre_milvus.layouts import Layout, already_there
from sre_milvus.names import shared_name
from sre_milvus.places import Place, is_below
from sre_milvus.requests import having
from sre_milvus.responses import FoundRow
from sre_milvus.store import Store

__all__ = ["PartitionsLayout"]

_NOWHERE = (0.0, 0.0)


class PartitionsLayout(Layout):
    """A collection in Milvus for each dimension and metric, and one, the register, that tells which of ours there are.

    A collection of ours has a random partition key from its making to its end: what somebody still writes to one that
    was dropped is not found in the next of that name.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        super().__init__(store, prefix)
        name = shared_name(prefix, "register")
        self._register = Place(collection="", name=name, dimension=len(_NOWHERE), metric=Metric.L2)

    async def create(self, collection: str, dimension: int, metric: Metric) -> None:
        """Enter it into the register."""
        await self._ensure(self._register, shared=False)
        if await self._look(collection) is not None:
            raise already_there(collection)
        space = uuid.uuid4().hex
        name = shared_name(self._prefix, f"{metric.value}_{dimension}")
        place = Place(collection=collection, name=name, dimension=dimension, metric=metric, space=space)
        await self._ensure(place, shared=True)
        entry = {"dimension": dimension, "metric": metric.value, "space": space}
        await self._store.put(self._register, [VectorRecord(id=collection, vector=_NOWHERE, metadata=entry)])
        # Of several who make it at once, the last one stays.
        if await self._look(collection) != place:
            raise already_there(collection)

    async def drop(self, collection: str) -> None:
        """Remove its rows, then its entry: so what was interrupted can be done again."""
        self._known.pop(collection, None)
        place = await self._look(collection)
        if place is not None:
            await self._store.clear(place)
            await self._store.remove(self._register, [collection])

    async def places(self, prefix: str) -> list[Place]:
        """By the register."""
        below = both(f"id >= {quoted(f'{prefix}/')}", f"id < {quoted(f'{prefix}0')}")  # "0" is next to "/"
        filter_ = f"({below}) or id == {quoted(prefix)}" if prefix else ""
        places: list[Place] = []
        after = None
        while rows := await self._entries(filter_, after):
            after = rows[-1].key
            places += [self._place(row) for row in rows]
        return sorted((p for p in places if is_below(p.collection, prefix)), key=lambda place: place.collection)

    async def find_to_write(self, collection: str) -> Place:
        """Asked anew: Milvus would take rows for a partition key that nobody knows any more."""
        return await self.find(collection, fresh=True)

    async def _look(self, collection: str) -> Place | None:
        rows = await self._entries(having([collection]), None)
        return self._place(rows[0]) if rows else None

    async def _entries(self, filter_: str, after: str | None) -> list[FoundRow]:
        try:
            return await self._store.page(self._register, filter_, after)
        except NotFoundError:
            return []  # nothing was ever made

    def _place(self, entry: FoundRow) -> Place:
        dimension, metric = entry.metadata["dimension"], Metric(str(entry.metadata["metric"]))
        return Place(
            collection=entry.key,
            name=shared_name(self._prefix, f"{metric.value}_{dimension}"),
            dimension=int(dimension),
            metric=metric,
            space=str(entry.metadata["space"]),
        )

    async def _ensure(self, place: Place, *, shared: bool) -> None:
        if await self._store.describe(place.name) is not None:
            return
        about = f"collections of {place.dimension} dimensions" if shared else "register of collections"
        try:
            await self._store.make(place.name, place.dimension, place.metric, about=about, shared=shared)
        except ConflictError:
            return  # somebody else was quicker
