"""Which collections there are, in which index each is, and the indexes themselves."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from urllib.parse import urlsplit

from sre_core.connectors.vectors import Metric
from sre_core.errors import ConfigError, ConflictError, NotFoundError
from sre_pinecone import requests, responses
from sre_pinecone.client import Client
from sre_pinecone.names import collection_of, index_name, namespace_of, namespace_prefix
from sre_pinecone.places import Place, is_below
from sre_pinecone.responses import Index
from sre_pinecone.settings import PineconeSettings
from sre_pinecone.waiting import until

__all__ = ["Catalogue", "not_there"]

_PAGE = "100"
_MOST_SEEN = 10_000


class Catalogue:
    """A collection is a namespace. Pinecone keeps one also while it is empty, so that no record has to stand for it."""

    def __init__(self, client: Client, settings: PineconeSettings) -> None:
        self._client = client
        self._settings = settings
        self._indexes: dict[str, Index] = {}
        self._making = asyncio.Lock()
        self._seen: dict[str, tuple[Place, float]] = {}

    async def open(self) -> None:
        """Learn which indexes there are; which checks the address and the key."""
        if self._settings.host is None:
            await self._list_indexes()
            return
        host = self._settings.host
        answer = await self._client.post(
            f"{host}/describe_index_stats", b"{}", lambda data: responses.stats(data, host), what="statistics"
        )
        self._indexes = {answer.data.name: answer.data}

    # Collections

    async def find(self, collection: str) -> Place:
        """Where a collection is, or was; if it is gone, nothing is found there. Raises NotFoundError."""
        seen = self._seen.get(collection)
        if seen is not None:
            return seen[0]
        if self._settings.host is not None:
            (index,) = self._indexes.values()
            return Place(collection, namespace_of(collection), index)
        return await self.look(collection)

    async def find_to_write(self, collection: str) -> Place:
        """Where a collection is: Pinecone would make a namespace of whatever is written. Raises NotFoundError."""
        seen = self._seen.get(collection)
        if seen is not None and asyncio.get_running_loop().time() - seen[1] < self._settings.recheck:
            return seen[0]
        return await self.look(collection)

    async def look(self, collection: str) -> Place:
        """Where a collection is, asked anew. Raises NotFoundError."""
        place = await self._search(collection)
        if place is None:
            self._seen.pop(collection, None)
            raise not_there(collection)
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen[collection] = place, asyncio.get_running_loop().time()
        return place

    async def create(self, collection: str, dimension: int, metric: Metric) -> None:
        """Make a namespace, and its index if there is none. Raises ConflictError, ConfigError."""
        namespace = namespace_of(collection)
        exists = ConflictError(f"vector collection {collection!r} exists", hint="drop it first, or use another name")
        if await self._search(collection) is not None:
            raise exists
        index = await self._index_for(dimension, metric)
        try:
            await self._client.post(
                f"{index.host}/namespaces",
                requests.create_namespace(namespace),
                responses.namespace,
                what="new namespace",
                again=False,
            )
        except ConflictError as error:
            raise exists from error
        await self._until(index, namespace, there=True)

    async def drop(self, collection: str) -> None:
        """Remove a namespace, wherever it is; a missing one is not an error."""
        namespace = namespace_of(collection)
        self._seen.pop(collection, None)
        while (place := await self._search(collection)) is not None:
            with suppress(NotFoundError):  # somebody else was quicker
                await self._client.delete(place.url(f"namespaces/{namespace}"), what="deletion of a namespace")
            await self._until(place.index, namespace, there=False)

    async def places(self, prefix: str) -> list[tuple[Place, int]]:
        """The collections at and below `prefix`, sorted by name, with the number of records that Pinecone tells."""
        if self._settings.host is None:
            await self._list_indexes()
        found = await asyncio.gather(*(self._below(index, prefix) for index in self._ready()))
        return sorted((item for items in found for item in items), key=lambda item: item[0].collection)

    async def _below(self, index: Index, prefix: str) -> list[tuple[Place, int]]:
        found: list[tuple[Place, int]] = []
        params = [("prefix", namespace_prefix(prefix))] if prefix else []
        token: str | None = None
        while True:
            page = [*params, ("limit", _PAGE), *([("paginationToken", token)] if token else [])]
            answer = await self._client.get(
                f"{index.host}/namespaces",
                lambda data: (responses.namespaces(data), responses.next_page(data)),
                what="list of namespaces",
                params=page,
            )
            for namespace, count in answer.data[0]:
                collection = collection_of(namespace)
                if collection is not None and is_below(collection, prefix):
                    found.append((Place(collection, namespace, index), count))
            token = answer.data[1]
            if token is None:
                return found

    async def _search(self, collection: str) -> Place | None:
        namespace = namespace_of(collection)
        known = self._ready()
        found = await self._which(known, namespace)
        if found is None and self._settings.host is None:
            # Another runtime may have made the index meanwhile.
            await self._list_indexes()
            found = await self._which([index for index in self._ready() if index not in known], namespace)
        return None if found is None else Place(collection, namespace, found)

    async def _which(self, indexes: Sequence[Index], namespace: str) -> Index | None:
        """The first of the indexes that has the namespace."""
        answers = await asyncio.gather(*(self._has(index, namespace) for index in indexes), return_exceptions=True)
        for index, answer in zip(indexes, answers, strict=True):
            if answer is True:
                return index
        failed = {index.name: error for index, error in zip(indexes, answers, strict=True) if error is not False}
        if failed and self._settings.host is None:
            # One that was removed does not answer any more.
            await self._list_indexes()
        for name, error in failed.items():
            if name in self._indexes and isinstance(error, BaseException):
                raise error
        return None

    async def _has(self, index: Index, namespace: str) -> bool:
        try:
            await self._client.get(f"{index.host}/namespaces/{namespace}", responses.namespace, what="namespace")
        except NotFoundError:
            return False
        return True

    async def _until(self, index: Index, namespace: str, *, there: bool) -> None:
        async def holds() -> bool:
            return await self._has(index, namespace) is there

        await until(
            holds,
            seconds=self._settings.fresh_timeout,
            what=f"Pinecone does not show that the namespace {namespace!r} was {'made' if there else 'removed'}",
            hint="it will; raise fresh_timeout",
        )

    # Indexes

    def _ready(self) -> list[Index]:
        return [index for _, index in sorted(self._indexes.items()) if index.ready]

    async def _list_indexes(self) -> None:
        prefix = self._settings.index
        answer = await self._client.get(
            f"{self._settings.url}/indexes", lambda data: responses.indexes(data, prefix), what="list of indexes"
        )
        self._indexes = {index.name: self._reachable(index) for index in answer.data}

    async def _index_for(self, dimension: int, metric: Metric) -> Index:
        """The index for this dimension and metric, made if there is none."""
        if self._settings.host is not None:
            (only,) = self._indexes.values()
            if (only.dimension, only.metric) != (dimension, metric):
                raise ConfigError(
                    f"the index at {only.host} is for {only.dimension} dimensions and {only.metric.value}, "
                    f"not for {dimension} and {metric.value}",
                    hint="without the setting host, an index is made for each pair that is needed",
                )
            return only
        name = index_name(self._settings.index, dimension, metric)
        async with self._making:
            index = self._indexes.get(name)
            if index is None:
                await self._make(name, dimension, metric)
            if index is None or not index.ready:
                index = await self._until_ready(name)
        return index

    async def _make(self, name: str, dimension: int, metric: Metric) -> None:
        settings = self._settings
        body = requests.create_index(name, dimension, metric, cloud=settings.cloud, region=settings.region)
        try:
            await self._client.post(
                f"{settings.url}/indexes",
                body,
                lambda data: responses.index(data, settings.index),
                what=f"new index {name!r}",
                again=False,
            )
        except ConflictError:
            return  # somebody else was quicker

    async def _until_ready(self, name: str) -> Index:
        made: list[Index] = []

        async def ready() -> bool:
            answer = await self._client.get(
                f"{self._settings.url}/indexes/{name}",
                lambda data: responses.index(data, self._settings.index),
                what=f"index {name!r}",
            )
            if answer.data is not None and answer.data.ready and answer.data.host:
                made.append(self._reachable(answer.data))
            return bool(made)

        await until(
            ready,
            seconds=self._settings.create_timeout,
            what=f"Pinecone has not made the index {name!r} ready",
            hint="it may still come to be; try again later, or raise create_timeout",
        )
        self._indexes[name] = made[0]
        return made[0]

    def _reachable(self, index: Index) -> Index:
        """With the scheme that the control plane is reached by; Pinecone tells hosts without one."""
        if not index.host or "://" in index.host:
            return index
        return replace(index, host=f"{urlsplit(self._settings.url).scheme}://{index.host}")


def not_there(collection: str) -> NotFoundError:
    """The error for a collection that does not exist."""
    return NotFoundError(f"no vector collection {collection!r}", hint="make it first, with create")
