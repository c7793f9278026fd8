"""The layout in which many collections share one in Milvus, each with a value of its partition key."""

import asyncio
import time
import uuid
from contextlib import suppress

from sre_core.connectors.vectors import Metric, Scalar, VectorRecord
from sre_core.errors import ConflictError, NotFoundError, SREError
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

_ATTEMPTS = 12
_FIRST_WAIT = 0.05
_WAIT_GROWTH = 1.5
_CLAIM_SECONDS = 60.0


class PartitionsLayout(Layout):
    """A collection in Milvus for each dimension and metric, and one, the register, that tells which of ours there are.

    A collection of ours has a random partition key from its making to its end: what somebody still writes to one that
    was dropped is not found in the next of that name. Milvus has no "add unless it is there", so whoever makes a
    collection enters a claim first, and makes it true once he then sees no other claim: two who make it at the same
    moment cannot both miss the other's. Of several, the one whose partition key comes first stays and waits, and the
    others withdraw, so that one of them gets there.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        super().__init__(store, prefix)
        name = shared_name(prefix, "register")
        self._register = Place(collection="", name=name, dimension=len(_NOWHERE), metric=Metric.L2)
        self._withdrawing: set[asyncio.Task[None]] = set()

    async def create(self, collection: str, dimension: int, metric: Metric) -> None:
        """Enter it into the register."""
        name = shared_name(self._prefix, f"{metric.value}_{dimension}")
        place = Place(collection=collection, name=name, dimension=dimension, metric=metric, space=uuid.uuid4().hex)
        await self._ensure(self._register, shared=False)
        await self._claim(place)

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

    async def _claim(self, place: Place) -> None:
        """Enter it into the register, as the only one of its name. Raises ConflictError."""
        own, entered, wait = _entry_of(place), False, _FIRST_WAIT
        try:
            for _ in range(_ATTEMPTS):
                others = [row for row in await self._entries(_named(place.collection), None) if row.key != own]
                if any(row.metadata["made"] for row in others):
                    raise already_there(place.collection)
                # Who was killed cannot take back his claim.
                late = time.time() - _CLAIM_SECONDS
                alive = [row.key for row in others if float(row.metadata["at"]) >= late]
                if entered and not alive:
                    await self._store.remove(self._register, [row.key for row in others])
                    await self._enter(place, made=True)
                    entered = False
                    return
                if not entered and all(own < key for key in alive):
                    await self._ensure(place, shared=True)
                    entered = True
                    await self._enter(place, made=False)
                    continue
                if entered and any(key < own for key in alive):
                    await self._store.remove(self._register, [own])
                    entered = False
                await asyncio.sleep(wait)
                wait *= _WAIT_GROWTH
        finally:
            if entered:
                self._withdraw(place)
        raise ConflictError(
            f"vector collection {place.collection!r} is being made by somebody else",
            hint=f"try again later; the claim of one that was killed ends after {_CLAIM_SECONDS:g} s",
        )

    def _withdraw(self, place: Place) -> None:
        """Take a claim back in the background, so that who was cancelled need not wait for it."""

        async def remove() -> None:
            with suppress(SREError):  # else it ends with its time
                rows = await self._entries(_named(place.collection), None)
                # One that came true after all may be in use already.
                claims = [row.key for row in rows if row.key == _entry_of(place) and not row.metadata["made"]]
                await self._store.remove(self._register, claims)

        task = asyncio.create_task(remove())
        self._withdrawing.add(task)
        task.add_done_callback(self._withdrawing.discard)

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
