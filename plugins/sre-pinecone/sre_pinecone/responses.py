"""Pinecone's answers, as what we want to know: pure functions, which raise what Python does for other answers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sre_core.connectors.vectors import Match, Metric, Scalar, VectorRecord
from sre_pinecone.metadata import unpack
from sre_pinecone.names import METRICS, id_of, index_made_for

__all__ = [
    "Index",
    "SavedRecord",
    "index",
    "indexes",
    "matches",
    "namespace",
    "namespaces",
    "next_page",
    "records",
    "stats",
    "upserted",
    "vectors",
]

_BY_WORD = {word: metric for metric, word in METRICS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """`host` is empty until the index has one; until it is `ready` it takes no records."""

    name: str
    host: str
    dimension: int
    metric: Metric
    ready: bool = True


@dataclass(frozen=True, slots=True)
class SavedRecord:
    """A record by its encoded id; a listing tells no metadata."""

    id: str
    metadata: Mapping[str, Scalar]


def indexes(data: Mapping[str, Any], prefix: str) -> list[Index]:
    """Ours among the indexes of a project."""
    found = (index(item, prefix) for item in _list(data["indexes"]))
    return [item for item in found if item is not None]


def index(data: Mapping[str, Any], prefix: str) -> Index | None:
    """An index; None when its name is none of ours."""
    made_for = index_made_for(prefix, data["name"])
    if made_for is None:
        return None
    ready = data["status"]["ready"]
    return Index(name=data["name"], host=data.get("host") or "", dimension=made_for[0], metric=made_for[1], ready=ready)


def stats(data: Mapping[str, Any], host: str) -> Index:
    """The index at a host, from its statistics."""
    return Index(name=host, host=host, dimension=int(data["dimension"]), metric=_BY_WORD[data["metric"]])


def namespaces(data: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Names with the number of their records."""
    return [namespace(item) for item in _list(data.get("namespaces", []))]


def namespace(data: Mapping[str, Any]) -> tuple[str, int]:
    """A name with the number of its records, which may be written as text."""
    return str(data["name"]), int(data.get("record_count", 0))


def matches(data: Mapping[str, Any], metric: Metric) -> list[Match]:
    """What a query found, best first."""
    found = []
    for item in _list(data["matches"]):
        metadata, text = unpack(item.get("metadata") or {})
        score = _score(float(item.get("score", 0.0)), metric)
        found.append(Match(id=id_of(item["id"]), score=score, metadata=metadata, text=text))
    return found


def records(data: Mapping[str, Any]) -> list[SavedRecord]:
    """What was listed or fetched."""
    found = data.get("vectors", {})
    if isinstance(found, list):  # a listing has ids only
        return [SavedRecord(item["id"], {}) for item in found]
    return [SavedRecord(key, unpack(item.get("metadata") or {})[0]) for key, item in found.items()]


def vectors(data: Mapping[str, Any]) -> list[VectorRecord]:
    """What was fetched, with the numbers of the vectors as float32 has them, however they were written."""
    found = []
    for key, item in data.get("vectors", {}).items():
        metadata, text = unpack(item.get("metadata") or {})
        vector = np.array(_list(item["values"]), dtype=np.float32).tolist()
        found.append(VectorRecord(id=id_of(key), vector=vector, metadata=metadata, text=text))
    return found


def upserted(data: Mapping[str, Any]) -> int:
    """How many records were taken."""
    return int(data["upsertedCount"])


def next_page(data: Mapping[str, Any]) -> str | None:
    """The token of the next page, if there is one."""
    return (data.get("pagination") or {}).get("next") or None


def _score(value: float, metric: Metric) -> float:
    """Pinecone tells the square of a Euclidean distance."""
    if metric is not Metric.L2:
        return value
    return -math.sqrt(value) if value > 0 else 0.0


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"a list was expected, not {type(value).__name__}")
    return value
