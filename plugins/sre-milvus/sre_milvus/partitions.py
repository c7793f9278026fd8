"""The layout in which many collections share one in Milvus, each with a value of its partition key."""

import asyncio
import time
import uuid

from sre_core.connectors.vectors import Metric, Scalar, VectorRecord
from sre_core.errors import ConflictError, NotFoundError
from sre_milvus.filters import both, quoted
from sre_milvus.layouts import Layout, already_there
from sre_milvus.names import shared_name
from sre_milvus.places import Place, is_below
from sre_milvus.responses import FoundRow
from sre_milvus.store import Store

__all__ = ["PartitionsLayout"]

_NOWHERE = (0.0, 0.0)
_END_OF_NAME = "\n"
"""Between a name and a partition key; no name has it."""

_ATTEMPTS = 6
_FIRST_WAIT = 0.05
_CLAIM_SECONDS = 60.0


class PartitionsLayout(Layout):
    """A collection in Milvus for each dimension and metric, and one, the register, that tells which of ours there are.

    A collection of ours has a random partition key from its making to its end: what somebody still writes to one that
    was dropped is not found in the next of that name. Milvus has no "add unless it is there", so whoever makes a
    collection enters a claim first, and makes it true once he then sees no other claim: two who make it at the same
    moment cannot both miss the other's.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        super().__init__(store, prefix)
        name = shared_name(prefix, "register")
        self._register = Place(collection="", name=name, dimension=len(_NOWHERE), metric=Metric.L2)

    async def create(self, collection: str, dimension: int, metric: Metric) -> None:
        """Enter it into the register."""
        await self._ensure(self._register, shared=False)
        space = uuid.uuid4()
        name = shared_name(self._prefix, f"{metric.value}_{dimension}")
        place = Place(collection=collection, name=name, dimension=dimension, metric=metric, space=space.hex)
        wait = _FIRST_WAIT * (1 + space.node / 2**48)
        for _ in range(_ATTEMPTS):
            if await self._look(collection) is not None:
                raise already_there(collection)
            await self._ensure(place, shared=True)
            if await self._claim(place):
                return
            await asyncio.sleep(wait)
            wait *= 1 + space.node / 2**48
        raise already_there(collection)

    async def drop(self, collection: str) -> None:
        """Remove its rows, then its entry: so what was interrupted can be done again."""
        self._known.pop(collection, None)
        place = await self._look(collection)
        if place is not None:
            await self._store.clear(place)
            await self._store.remove(self._register, [_entry_of(place)])

    async def places(self, prefix: str) -> list[Place]:
        """By the register."""
        below = _between(f"{prefix}/", f"{prefix}0")  # "0" is next to "/"
        filter_ = f"({below}) or ({_named(prefix)})" if prefix else ""
        places: list[Place] = []
        after = None
        while rows := await self._entries(filter_, after):
            after = rows[-1].key
            places += [self._place(row) for row in rows if row.metadata["made"]]
        return sorted((p for p in places if is_below(p.collection, prefix)), key=lambda place: place.collection)

    async def find_to_write(self, collection: str) -> Place:
        """Asked anew: Milvus would take rows for a partition key that nobody knows any more."""
        return await self.find(collection, fresh=True)

    async def _look(self, collection: str) -> Place | None:
        rows = await self._entries(_named(collection), None)
        return next((self._place(row) for row in rows if row.metadata["made"]), None)

    async def _claim(self, place: Place) -> bool:
        """Whether this entry, made now, was the only one of its name; then it counts."""
        own = _entry_of(place)
        await self._enter(place, made=False)
        others = [row for row in await self._entries(_named(place.collection), None) if row.key != own]
        # Who was killed in between cannot take back his claim.
        late = time.time() - _CLAIM_SECONDS
        dead = [row.key for row in others if not row.metadata["made"] and float(row.metadata["at"]) < late]
        if len(others) > len(dead):
            await self._store.remove(self._register, [own])
            return False
        await self._store.remove(self._register, dead)
        await self._enter(place, made=True)
        return True

    async def _enter(self, place: Place, *, made: bool) -> None:
        entry: dict[str, Scalar] = {
            "dimension": place.dimension,
            "metric": place.metric.value,
            "space": place.space,
            "made": made,
            "at": time.time(),
        }
        await self._store.put(self._register, [VectorRecord(id=_entry_of(place), vector=_NOWHERE, metadata=entry)])

    async def _entries(self, filter_: str, after: str | None) -> list[FoundRow]:
        try:
            return await self._store.page(self._register, filter_, after)
        except NotFoundError:
            return []  # nothing was ever made

    def _place(self, entry: FoundRow) -> Place:
        dimension, metric = entry.metadata["dimension"], Metric(str(entry.metadata["metric"]))
        return Place(
            collection=entry.key.partition(_END_OF_NAME)[0],
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


def _entry_of(place: Place) -> str:
    """The id in the register."""
    return f"{place.collection}{_END_OF_NAME}{place.space}"


def _named(collection: str) -> str:
    """A filter for all entries of a name."""
    return _between(f"{collection}{_END_OF_NAME}", f"{collection}{chr(ord(_END_OF_NAME) + 1)}")


def _between(first: str, end: str) -> str:
    return both(f"id >= {quoted(first)}", f"id < {quoted(end)}")
