"""Answers of Milvus's protocol, as what we want to know. Pure functions on messages; nothing is imported for them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sre_core.connectors.vectors import Match, Metric, Scalar, VectorRecord
from sre_milvus.metadata import unpack
from sre_milvus.places import Place, vector_field

__all__ = ["Description", "FoundRow", "counted", "description", "matches", "records", "rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a collection in Milvus is made for."""

    dimension: int
    metric: Metric
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row by its primary key; the metadata is empty when it was not asked for."""

    key: str
    metadata: dict[str, Scalar]


def description(answer: Any) -> Description | None:
    """Of a DescribeCollectionResponse; None when the collection is not one of ours."""
    fields = {field.name: field for field in answer.schema.fields}
    for metric in Metric:
        field = fields.get(vector_field(metric))
        if field is not None:
            dimension = int({pair.key: pair.value for pair in field.type_params}.get("dim", 0))
            properties = {pair.key: pair.value for pair in answer.properties}
            return Description(dimension=dimension, metric=metric, properties=properties)
    return None


def matches(answer: Any, place: Place) -> list[Match]:
    """Of SearchResults, best first."""
    results = answer.results
    columns = _columns(results.fields_data)
    texts, metadata = columns.get("text", ()), columns.get("metadata", ())
    return [
        Match(id=place.id_of(key), score=_score(score, place.metric), metadata=unpack(raw), text=text)
        for key, score, text, raw in zip(results.ids.str_id.data, results.scores, texts, metadata, strict=True)
    ]


def records(answer: Any, place: Place) -> Iterator[VectorRecord]:
    """Of QueryResults with all fields. Each is made when it is asked for: as lists, numbers take ten times the room."""
    columns = _columns(answer.fields_data)
    vectors = next((field.vectors for field in answer.fields_data if field.HasField("vectors")), None)
    rows = zip(columns.get("id", ()), columns.get("text", ()), columns.get("metadata", ()), strict=True)
    for number, (key, text, raw) in enumerate(rows):
        # A collection that was made anew meanwhile may have another dimension than the place.
        vector = vectors.float_vector.data[number * vectors.dim : (number + 1) * vectors.dim] if vectors else ()
        yield VectorRecord(id=place.id_of(key), vector=vector, metadata=unpack(raw), text=text)


def rows(answer: Any) -> list[FoundRow]:
    """Of QueryResults."""
    columns = _columns(answer.fields_data)
    keys = columns.get("id", ())
    metadata = columns.get("metadata") or [b""] * len(keys)
    return [FoundRow(key, unpack(raw)) for key, raw in zip(keys, metadata, strict=True)]


def counted(answer: Any) -> int:
    """Of QueryResults for a count."""
    return sum(sum(field.scalars.long_data.data) for field in answer.fields_data)


def _columns(fields: Any) -> dict[str, Any]:
    columns = {}
    for field in fields:
        scalars = field.scalars
        kind = scalars.WhichOneof("data")
        columns[field.field_name] = getattr(scalars, kind).data if kind else ()
    return columns


def _score(value: float, metric: Metric) -> float:
    """Milvus tells the square of a Euclidean distance."""
    if metric is not Metric.L2:
        return value
    return -math.sqrt(value) if value > 0 else 0.0
