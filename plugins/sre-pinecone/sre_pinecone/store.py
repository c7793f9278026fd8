"""Records in a namespace: kept, found, removed and counted, each change waited for until it shows."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import TypeVar

import anyio

from sre_core import logs
from sre_core.builtin.vector_filter import predicate
from sre_core.builtin.vector_index import read_vector
from sre_core.connectors.nearest import ends_clearly, nearest_first
from sre_core.connectors.vectors import Condition, Match, VectorRecord
from sre_core.errors import ConfigError, ConnectorError
from sre_pinecone import requests, responses
from sre_pinecone.client import Answer, Client, Read
from sre_pinecone.filters import NOTHING, Filter, filter_of
from sre_pinecone.names import record_id
from sre_pinecone.places import Place
from sre_pinecone.responses import SavedRecord
from sre_pinecone.settings import PineconeSettings
from sre_pinecone.waiting import until

__all__ = ["Store"]

log = logs.get_logger(__name__)
T = TypeVar("T")

_MOST_RESULTS = 10_000
_GROWTH = 4
_AT_ONCE = 8
_DELETED_AT_ONCE = 1000
_FETCHED_AT_ONCE = 100
_HEAVY = 50_000
_LONGEST_QUERY = 6000
_MOST_REMEMBERED = 10_000
_NUMBERS_AT_ONCE = 200_000
"""Numbers of vectors in one answer: reading more would hold up the event loop."""

_PAGE = "100"
_UNSETTLED = 60.0
_UNTOLD = 1.0
"""Seconds after which a server that gives numbers to changes, but tells none with its answers, is believed."""

_COUNTED_BY_HAND = 10_000


class Store:
    """What the connector does at a place."""

    def __init__(self, client: Client, settings: PineconeSettings) -> None:
        self._client = client
        self._settings = settings
        self._changed: dict[tuple[str, str], float] = {}

    async def put(self, place: Place, records: Sequence[VectorRecord]) -> None:
        """Keep records, checked as a whole before any is sent. If a part of a large batch fails, others may stay."""
        dimension, most = place.index.dimension, self._settings.batch
        batch = list(records)

        def written() -> tuple[int, list[bytes]]:
            kept = requests.records_of(batch, dimension)
            return len(kept), list(requests.upserts(place.namespace, kept, most))

        # The event loop should not wait until so many numbers are written out.
        heavy = len(batch) * dimension > _HEAVY
        sent, bodies = await anyio.to_thread.run_sync(written) if heavy else written()
        taken = sum(await self._change(place, "vectors/upsert", bodies, responses.upserted, "upsert"))
        if taken != sent:
            raise ConnectorError(
                f"Pinecone says that it took {taken} of {sent} records for {place.collection!r}",
                hint="write the batch again: what was taken is replaced",
            )

    async def nearest(self, place: Place, vector: Sequence[float], k: int, where: Sequence[Condition]) -> list[Match]:
        """The `k` nearest records that meet all conditions, equal scores in order of id. Raises ConfigError."""
        read_vector(vector, place.index.dimension)
        if k > _MOST_RESULTS:
            raise ConfigError(f"Pinecone finds at most {_MOST_RESULTS} neighbours, not {k}", hint="lower k")
        filter_, meets = filter_of(where), predicate(where)
        if filter_ is NOTHING:
            return []
        # One more than asked for shows whether equal scores were cut off.
        limit = min(k + 1, _MOST_RESULTS)
        while True:
            found = (await self._query(place, vector, limit, filter_)).data
            good = [match for match in found if meets(match.metadata)] if where else found
            everything = len(found) < limit or limit == _MOST_RESULTS
            if everything or ends_clearly([match.score for match in good], k):
                return nearest_first(good, k)
            limit = min(limit * _GROWTH, _MOST_RESULTS)

    async def remove(self, place: Place, ids: Sequence[str]) -> int:
        """Remove records by id; returns how many there were."""
        keys = dict.fromkeys(key for id_ in ids if (key := _possible(id_)) is not None)
        there = [record.id async for record in self._fetched(place, list(keys), responses.records)]
        await self._remove(place, there)
        return len(there)

    async def remove_where(self, place: Place, where: Sequence[Condition]) -> int:
        """Remove the records that meet all conditions; returns how many there were."""
        filter_, meets = filter_of(where), predicate(where)
        there: list[str] = []
        token: str | None = None
        while filter_ is not NOTHING:
            page, token = await self._page(place, filter_, token)
            there += [record.id for record in page if meets(record.metadata)]
            if token is None:
                break
        await self._remove(place, there)
        return len(there)

    async def scan(self, place: Place) -> AsyncGenerator[VectorRecord]:
        """All records: a page of ids, then what they stand for."""
        token: str | None = None
        while True:
            page, token = await self._listed(place, token)
            async with aclosing(self._fetched(place, [saved.id for saved in page], responses.vectors)) as found:
                async for record in found:
                    yield record
            if token is None:
                return

    async def count(self, place: Place, told: int) -> int:
        """How many records there are. What Pinecone tells may be old: soon after a change they are listed."""
        changed = self._changed.get((place.index.host, place.namespace))
        if changed is None or told > _COUNTED_BY_HAND or _now() - changed > _UNSETTLED:
            return told
        count, token = 0, None
        while True:
            page, token = await self._listed(place, token)
            count += len(page)
            if token is None:
                return count

    # Reading

    async def _query(
        self, place: Place, vector: Sequence[float], limit: int, filter_: Filter | None, *, metadata: bool = True
    ) -> Answer[list[Match]]:
        body = requests.query(place.namespace, vector, limit, filter_, metadata=metadata)
        metric = place.index.metric
        return await self._client.post(
            place.url("query"), body, lambda data: responses.matches(data, metric), what="query"
        )

    async def _page(
        self, place: Place, filter_: Filter | None, token: str | None
    ) -> tuple[list[SavedRecord], str | None]:
        """Some records that meet the filter, with their metadata, and the token of the next ones."""
        if filter_ is None:
            page, following = await self._listed(place, token)
            keys = [record.id for record in page]
            return [record async for record in self._fetched(place, keys, responses.records)], following
        answer = await self._client.post(
            place.url("vectors/fetch_by_metadata"),
            requests.fetch_where(place.namespace, filter_, token),
            lambda data: (responses.records(data), responses.next_page(data)),
            what="fetch by metadata",
        )
        return answer.data

    async def _listed(self, place: Place, token: str | None) -> tuple[list[SavedRecord], str | None]:
        params = [("namespace", place.namespace), ("limit", _PAGE)]
        answer = await self._client.get(
            place.url("vectors/list"),
            lambda data: (responses.records(data), responses.next_page(data)),
            what="list of records",
            params=[*params, ("paginationToken", token)] if token else params,
        )
        return answer.data

    async def _fetched(self, place: Place, keys: Sequence[str], read: Read[list[T]]) -> AsyncGenerator[T]:
        for part in _parts(keys, max(1, min(_FETCHED_AT_ONCE, _NUMBERS_AT_ONCE // place.index.dimension))):
            params = [("namespace", place.namespace), *(("ids", key) for key in part)]
            answer = await self._client.get(place.url("vectors/fetch"), read, what="fetch", params=params)
            for record in answer.data:
                yield record

    # Changing

    async def _remove(self, place: Place, keys: Sequence[str]) -> None:
        parts = [keys[start : start + _DELETED_AT_ONCE] for start in range(0, len(keys), _DELETED_AT_ONCE)]
        bodies = [requests.delete(place.namespace, part) for part in parts]
        # Pinecone answers with an object that says nothing.
        await self._change(place, "vectors/delete", bodies, lambda _: None, "deletion")

    async def _change(self, place: Place, path: str, bodies: Sequence[bytes], read: Read[T], what: str) -> list[T]:
        """Send changes, some at once, and return what was answered when the last of them shows."""
        found: list[T] = []
        lsns: list[int] = []
        try:
            for start in range(0, len(bodies), _AT_ONCE):
                calls = (
                    self._client.post(place.url(path), body, read, what=what)
                    for body in bodies[start : start + _AT_ONCE]
                )
                answers = await asyncio.gather(*calls, return_exceptions=True)
                for answer in answers:
                    if isinstance(answer, BaseException):
                        raise answer
                    found.append(answer.data)
                    lsns += [answer.lsn] if answer.lsn is not None else []
        finally:
            if bodies:
                if len(self._changed) >= _MOST_REMEMBERED:
                    self._changed.clear()
                self._changed[place.index.host, place.namespace] = _now()
        if lsns:
            await self._until_it_shows(place, max(lsns))
        return found

    async def _until_it_shows(self, place: Place, lsn: int) -> None:
        """Changes of a namespace have growing numbers, and an answer tells up to which it knows of them."""
        probe = [1.0] * place.index.dimension
        untold = _now() + _UNTOLD

        async def shows() -> bool:
            indexed = (await self._query(place, probe, 1, None, metadata=False)).indexed
            if indexed is None and _now() > untold:
                log.warning("pinecone_tells_no_freshness", host=place.index.host)
                return True
            return indexed is not None and indexed >= lsn

        await until(
            shows,
            seconds=self._settings.fresh_timeout,
            what=f"Pinecone has taken a change of {place.collection!r}, but does not show it",
            hint="it will; raise fresh_timeout",
        )


def _possible(id_: str) -> str | None:
    """The encoded id, or None for one that no record can have."""
    try:
        return record_id(id_)
    except ConfigError:
        return None


def _parts(keys: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """The keys in lists of at most so many, and short enough for a URL."""
    start, size = 0, 0
    for position, key in enumerate(keys):
        # A percent sign of an encoded id is encoded once more.
        length = len(key) + 2 * key.count("%") + len("&ids=")
        if position > start and (size + length > _LONGEST_QUERY or position - start == most):
            yield keys[start:position]
            start, size = position, 0
        size += length
    if start < len(keys):
        yield keys[start:]


def _now() -> float:
    return asyncio.get_running_loop().time()
