"""Collections and rows in Milvus, each operation as few calls as it takes."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import anyio
from pymilvus.client.prepare import Prepare  # type: ignore[import-untyped]

from sre_core.builtin.vector_filter import predicate
from sre_core.builtin.vector_index import read_vector
from sre_core.connectors.nearest import ends_clearly, nearest_first
from sre_core.connectors.vectors import Condition, Match, Metric, VectorRecord
from sre_core.errors import ConfigError, ConflictError, NotFoundError, SREError, UnavailableError
from sre_milvus import requests, responses
from sre_milvus.client import Client
from sre_milvus.errors import NOT_LOADED, MilvusError
from sre_milvus.filters import expression, is_unicode
from sre_milvus.places import Place, vector_field
from sre_milvus.records import batches, rows_of
from sre_milvus.responses import Description, FoundRow
from sre_milvus.settings import MilvusSettings

__all__ = ["Store"]

T = TypeVar("T")

_MOST_RESULTS = 16384
"""Rows that a server returns at most."""

_HEAVY = 100_000
_PAGE = 1000
_FIRST_SCANNED, _MOST_SCANNED = 100, 10_000
_AT_ONCE = 100
_KEYS_BYTES = 256 << 10
_GROWTH = 4
_POLL = 0.05
_LONGEST_POLL = 1.0


class Store:
    """What the layouts of collections are built on."""

    def __init__(self, client: Client, settings: MilvusSettings) -> None:
        self._client = client
        self._settings = settings
        self._most = _MOST_RESULTS if settings.file is None else None

    # Collections in Milvus

    async def make(
        self,
        name: str,
        dimension: int,
        metric: Metric,
        *,
        about: str,
        shared: bool = False,
        properties: Mapping[str, str] | None = None,
    ) -> None:
        """Make a collection that can be used at once. Raises ConflictError when there is one of that name."""
        request = requests.create_collection(
            name,
            dimension,
            metric,
            shared=shared,
            description=f"{about[:200]} (sre-runtime {uuid.uuid4().hex})",
            properties=properties or {},
        )
        await self._client.call("CreateCollection", request)
        try:
            await self._index(name, metric)
            await self._load(name)
        except (ConfigError, MilvusError):
            # A wrong index would be in the way of a right one. But what may be on its way still is left: it is indexed
            # when it is used, and others may have begun to write to it.
            with suppress(SREError):
                await self._client.call("DropCollection", requests.drop(name))
            raise

    async def describe(self, name: str) -> Description | None:
        """What a collection is made for; None when it does not exist, or is not one of ours."""
        try:
            answer = await self._client.call("DescribeCollection", Prepare.describe_collection_request(name))
        except NotFoundError:
            return None
        return responses.description(answer)

    async def names(self) -> list[str]:
        """Those of all collections in the database."""
        answer = await self._client.call("ShowCollections", Prepare.show_collections_request())
        return list(answer.collection_names)

    async def drop(self, name: str) -> None:
        """Remove a collection; a missing one is not an error."""
        try:
            await self._client.call("DropCollection", requests.drop(name))
        except NotFoundError:
            return

    # Rows

    async def put(self, place: Place, records: Sequence[VectorRecord]) -> None:
        """Keep records, checked as a whole before any is sent. If a part of a large batch fails, earlier ones stay."""
        rows = await _do(len(records) * place.dimension, rows_of, place, list(records))
        for part in batches(rows, self._settings.batch_bytes):
            request = await _do(len(part) * place.dimension, requests.upsert, place, part)
            await self._call(place, "Upsert", request)

    async def nearest(self, place: Place, vector: Sequence[float], k: int, where: Sequence[Condition]) -> list[Match]:
        """The `k` nearest rows that meet all conditions, equal scores in order of id. Raises ConfigError."""
        query = read_vector(vector, place.dimension)
        if self._most is not None and k > self._most:
            raise ConfigError(f"{self._client.place} finds at most {self._most} neighbours, not {k}", hint="lower k")
        filter_, meets = expression(where), predicate(where)
        # One more than asked for shows whether equal scores were cut off.
        limit = k + 1
        while True:
            limit = limit if self._most is None else min(limit, self._most)
            request = requests.search(place, query, limit, filter_, self._settings.search_params)
            found = responses.matches(await self._call(place, "Search", request), place)
            good = [match for match in found if meets(match.metadata)] if where else found
            everything = len(found) < limit or limit == self._most
            if everything or ends_clearly([match.score for match in good], k):
                return nearest_first(good, k)
            limit *= _GROWTH

    async def count(self, place: Place) -> int:
        """How many rows there are."""
        return responses.counted(await self._call(place, "Query", requests.count(place)))

    async def scan(self, place: Place) -> AsyncGenerator[VectorRecord]:
        """All rows, in order of their keys, in pages of about as many bytes as may be sent at once."""
        fields = [vector_field(place.metric), "text", "metadata"]
        after, limit = None, _FIRST_SCANNED
        while True:
            request = requests.page(place, "", after=after, limit=limit, fields=fields)
            answer = await self._call(place, "Query", request)
            count = 0
            for count, record in enumerate(responses.records(answer, place), 1):
                after = place.key_of(record.id)
                yield record
                if count % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # others, too, want their turn
            if count == 0:
                return
            fitting = self._settings.batch_bytes * count // answer.ByteSize()
            limit = max(1, min(fitting, _GROWTH * limit, _MOST_SCANNED))

    async def page(self, place: Place, filter_: str, after: str | None) -> list[FoundRow]:
        """Some of the rows that meet a filter, in order of their keys, behind the key `after`; none at the end."""
        request = requests.page(place, filter_, after=after, limit=_PAGE, fields=["metadata"])
        return responses.rows(await self._call(place, "Query", request))

    async def remove(self, place: Place, ids: Sequence[str]) -> int:
        """Remove rows by id; returns how many there were."""
        removed = 0
        for keys in _parts([place.key_of(id_) for id_ in dict.fromkeys(ids) if is_unicode(id_)]):
            filter_ = requests.having(keys)
            # Milvus counts what it was told to delete, whether it was there or not.
            request = requests.page(place, filter_, after=None, limit=len(keys), fields=[])
            there = [row.key for row in responses.rows(await self._call(place, "Query", request))]
            removed += len(there)
            if there:
                await self._call(place, "Delete", requests.delete(place, requests.having(there)))
        return removed

    async def remove_where(self, place: Place, where: Sequence[Condition]) -> int:
        """Remove the rows that meet all conditions; returns how many there were."""
        filter_, meets = expression(where), predicate(where)
        removed, after = 0, None
        while rows := await self.page(place, filter_, after):
            after = rows[-1].key
            ids = [place.id_of(row.key) for row in rows if meets(row.metadata)]
            if ids:
                removed += await self.remove(place, ids)
        return removed

    async def clear(self, place: Place) -> None:
        """Remove all rows of a shared place."""
        await self._call(place, "Delete", requests.delete(place, ""))

    # How a call is made

    async def _call(self, place: Place, method: str, request: Any) -> Any:
        """Call; a collection that is not loaded, as after a restart of a file, is loaded first."""
        try:
            return await self._client.call(method, request)
        except MilvusError as error:
            if error.status not in NOT_LOADED:
                raise
        # It may have an index, of whatever type; then it can be loaded.
        with suppress(ConfigError, ConflictError, MilvusError):
            await self._index(place.name, place.metric)
        await self._load(place.name)
        return await self._client.call(method, request)

    async def _index(self, name: str, metric: Metric) -> None:
        settings = self._settings
        request = requests.create_index(name, metric, settings.index_type, settings.index_params)
        await self._client.call("CreateIndex", request)

    async def _load(self, name: str) -> None:
        await self._client.call("LoadCollection", requests.load(name))
        loop = asyncio.get_running_loop()
        deadline, wait = loop.time() + self._settings.timeout, _POLL
        progress = Prepare.get_loading_progress(name, None)
        while (await self._client.call("GetLoadingProgress", progress)).progress < 100:
            if loop.time() > deadline:
                raise UnavailableError(f"{self._client.place} still loads {name!r}", hint="try again later")
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_POLL)


async def _do(work: int, function: Callable[[Place, Any], T], place: Place, argument: Any) -> T:
    """Call a function; in a thread when it has more numbers to turn over than the event loop should wait for."""
    if work < _HEAVY:
        return function(place, argument)
    return await anyio.to_thread.run_sync(function, place, argument)


def _parts(keys: Sequence[str]) -> list[list[str]]:
    """The keys in lists that are short enough for a filter."""
    parts: list[list[str]] = []
    size = 0
    for key in keys:
        length = len(key.encode())
        if not parts or size + length > _KEYS_BYTES or len(parts[-1]) == _PAGE:
            parts.append([])
            size = 0
        parts[-1].append(key)
        size += length
    return parts
