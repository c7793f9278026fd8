"""Vectors and their nearest neighbours: what a plugin writes (VectorConnector), what a user holds (Vectors)."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sre_core.access.acl import Access
from sre_core.connectors.base import Connector, Service
from sre_core.connectors.handle import Handle
from sre_core.errors import ConfigError

__all__ = [
    "CollectionInfo",
    "Comparison",
    "Condition",
    "Match",
    "Metric",
    "Scalar",
    "VectorConnector",
    "VectorRecord",
    "Vectors",
    "parse_where",
]

Scalar = str | int | float | bool
"""What metadata may hold."""


class Metric(StrEnum):
    """How near two vectors are. Scores always grow with nearness: `l2` is the negative distance."""

    COSINE = "cosine"
    DOT = "dot"
    L2 = "l2"


class Comparison(StrEnum):
    """How a condition compares a field of the metadata with its value."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    NIN = "nin"


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of one field. `value` is a tuple for IN and NIN. A record without the field meets NE and NIN only.

    Text, numbers and booleans are never equal to each other, and have no order among each other.
    """

    field: str
    comparison: Comparison
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorRecord:
    """A vector to keep: `vector` has the collection's dimension; `text` is what it stands for, if anything."""

    id: str
    vector: Sequence[float]
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A record that a query found; the higher the score, the nearer."""

    id: str
    score: float
    metadata: Mapping[str, Scalar] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionInfo:
    """A collection and the number of records in it."""

    name: str
    dimension: int
    metric: Metric
    count: int


class VectorConnector(Connector):
    """Keeps vectors in collections, by id.

    A collection's name is a path, "agent/a1/notes". A missing collection raises NotFoundError. A vector of the
    wrong dimension, or with NaN or infinite values, raises ConfigError and nothing of its batch is kept. Capability:
    "scan".
    """

    service = Service.VECTORS

    @abstractmethod
    async def create(self, collection: str, dimension: int, *, metric: Metric = Metric.COSINE) -> None:
        """Make a collection. Raises ConflictError when it exists."""

    @abstractmethod
    async def drop(self, collection: str) -> None:
        """Remove a collection with all its records; a missing one is not an error."""

    @abstractmethod
    async def collections(self, prefix: str) -> list[CollectionInfo]:
        """The collections below `prefix`, compared by segments, or of exactly that name; sorted by name."""

    @abstractmethod
    async def upsert(self, collection: str, records: Sequence[VectorRecord]) -> None:
        """Keep records, replacing those of the same id. When a batch has an id twice, the last one stays."""

    @abstractmethod
    async def query(
        self, collection: str, vector: Sequence[float], *, k: int, where: Sequence[Condition] = ()
    ) -> list[Match]:
        """The `k` nearest records that meet all conditions, nearest first; equal scores in order of id."""

    @abstractmethod
    async def delete(self, collection: str, *, ids: Sequence[str] = (), where: Sequence[Condition] = ()) -> int:
        """Remove the records of these ids, or those that meet all conditions; returns how many there were."""

    def scan(self, collection: str) -> AsyncGenerator[VectorRecord]:
        """All records, each once, in any order, with their vectors as float32 keeps them. Capability "scan".

        What changes meanwhile may be seen or not. A missing collection raises NotFoundError at the first record.
        """
        raise self.unsupported("scan")


class Vectors(Handle):
    """Vectors, as one candidate may use them; collections lie in its own home unless `of` says otherwise."""

    service = Service.VECTORS

    @property
    def _connector(self) -> VectorConnector:
        return self._slot.connector  # type: ignore[return-value]  # the runtime pairs slots with handles by service

    async def create(
        self, collection: str, dimension: int, *, metric: Metric = Metric.COSINE, exist_ok: bool = False
    ) -> None:
        """Make a collection. Raises ConflictError when it exists, unless `exist_ok` and it is alike. Needs WRITE."""
        if dimension < 1:
            raise ConfigError(f"illegal dimension {dimension!r}", hint="a collection needs a dimension of 1 or more")
        async with self._operation("create", Access.WRITE, collection):
            key = self._key(collection)
            if exist_ok:
                old = [info for info in await self._connector.collections(key) if info.name == key]
                if old and (old[0].dimension, old[0].metric) == (dimension, metric):
                    return
            await self._connector.create(key, dimension, metric=metric)

    async def drop(self, collection: str) -> None:
        """Remove a collection with all its records; a missing one is not an error. Needs WRITE."""
        async with self._operation("drop", Access.WRITE, collection):
            await self._connector.drop(self._key(collection))

    async def collections(self, prefix: str = "") -> list[CollectionInfo]:
        """The collections below `prefix`, by default the whole home, sorted by name. Needs READ on `prefix`.

        What the candidate may not read is left out.
        """
        async with self._operation("collections", Access.READ, prefix):
            found = await self._connector.collections(self._prefix(prefix))
        named = [
            CollectionInfo(
                name=info.name.split("/", 2)[2],
                dimension=info.dimension,
                metric=info.metric,
                count=info.count,
            )
            for info in found
        ]
        return [info for info in named if await self._sees(info.name)]

    async def upsert(self, collection: str, records: Sequence[VectorRecord]) -> None:
        """Keep records, replacing those of the same id. Raises NotFoundError, ConfigError. Needs WRITE."""
        async with self._operation("upsert", Access.WRITE, collection):
            await self._connector.upsert(self._key(collection), records)

    async def query(
        self, collection: str, vector: Sequence[float], *, k: int = 10, where: Mapping[str, Any] | None = None
    ) -> list[Match]:
        """The `k` nearest records that meet `where` (see `parse_where`), nearest first. Needs READ."""
        if k < 1:
            raise ConfigError(f"illegal k {k!r}", hint="ask for 1 neighbour or more")
        conditions = parse_where(where)
        async with self._operation("query", Access.READ, collection):
            return await self._connector.query(self._key(collection), vector, k=k, where=conditions)

    async def delete(self, collection: str, *, ids: Sequence[str] = (), where: Mapping[str, Any] | None = None) -> int:
        """Remove the records of these ids, or those that meet `where`; returns how many. Needs WRITE."""
        conditions = parse_where(where)
        if bool(ids) == bool(conditions):
            raise ConfigError("delete takes ids or where, one of them", hint="use drop to remove everything")
        async with self._operation("delete", Access.WRITE, collection):
            return await self._connector.delete(self._key(collection), ids=ids, where=conditions)

    def scan(self, collection: str) -> AsyncGenerator[VectorRecord]:
        """All records, each once, in any order; use it inside `contextlib.aclosing`. Capability "scan"; needs READ."""
        return self._stream("scan", Access.READ, collection, lambda: self._connector.scan(self._key(collection)))


def parse_where(where: Mapping[str, Any] | None) -> tuple[Condition, ...]:
    """Read a filter: `{"lang": "en", "year": {"gte": 2020, "lt": 2026}, "tag": {"in": ["a", "b"]}}`.

    All conditions must hold. Raises ConfigError that names the field.
    """
    conditions: list[Condition] = []
    for name, wanted in (where or {}).items():
        tests = wanted if isinstance(wanted, Mapping) else {"eq": wanted}
        for word, value in tests.items():
            if word not in list(Comparison):
                raise ConfigError(
                    f"unknown comparison {word!r} for field {name!r}",
                    hint=f"use one of {', '.join(Comparison)}",
                )
            comparison = Comparison(word)
            if comparison in {Comparison.IN, Comparison.NIN}:
                if isinstance(value, str) or not isinstance(value, Sequence):
                    raise ConfigError(f"field {name!r}: {word!r} takes a list, not {value!r}")
                items = tuple(value)
            else:
                items = (value,)
            for item in items:
                if not isinstance(item, (str, int, float, bool)):
                    raise ConfigError(f"field {name!r} compares with {item!r}", hint="use text, numbers or booleans")
            several = comparison in {Comparison.IN, Comparison.NIN}
            conditions.append(Condition(name, comparison, items if several else items[0]))
    return tuple(conditions)
