"""What we want, as requests of Milvus's protocol: pure functions. They need pymilvus, so only `start` leads here."""

# mypy: disable-error-code="import-untyped"

from collections.abc import Mapping, Sequence
from typing import Any

from pymilvus import CollectionSchema, DataType, FieldSchema
from pymilvus.client.prepare import Prepare
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from sre_core.connectors.vectors import Metric
from sre_milvus.filters import both, quoted
from sre_milvus.places import Place, vector_field
from sre_milvus.records import LONGEST_TEXT, Row

__all__ = [
    "NAME_PROPERTY",
    "count",
    "create_collection",
    "create_index",
    "delete",
    "drop",
    "having",
    "load",
    "page",
    "search",
    "upsert",
]

NAME_PROPERTY = "sre.collection"
"""The property of a collection in Milvus that tells a path which was too long for its name."""

_METRICS = {Metric.COSINE: "COSINE", Metric.DOT: "IP", Metric.L2: "L2"}
_SPACE_BYTES = 64
# Every read sees every change that was acknowledged before it.
_STRONG = {
    "consistency_level": common_pb2.ConsistencyLevel.Strong,
    "guarantee_timestamp": 0,
    "use_default_consistency": False,
}


def create_collection(
    name: str, dimension: int, metric: Metric, *, shared: bool, description: str, properties: Mapping[str, str]
) -> Any:
    """Make a collection in Milvus. A `shared` one has a partition key, `space`.

    A server takes the same request twice without complaint; with a description of its own it is another one.
    """
    fields = [
        FieldSchema("id", DataType.VARCHAR, is_primary=True, max_length=LONGEST_TEXT),
        FieldSchema(vector_field(metric), DataType.FLOAT_VECTOR, dim=dimension),
        FieldSchema("text", DataType.VARCHAR, max_length=LONGEST_TEXT),
        FieldSchema("metadata", DataType.JSON),
    ]
    if shared:
        fields.append(FieldSchema("space", DataType.VARCHAR, is_partition_key=True, max_length=_SPACE_BYTES))
    schema = CollectionSchema(fields, description=description, enable_dynamic_field=False)
    return Prepare.create_collection_request(
        name, schema, consistency_level=common_pb2.ConsistencyLevel.Strong, properties=dict(properties)
    )


def create_index(name: str, metric: Metric, index_type: str, params: Mapping[str, Any]) -> Any:
    """Index the vectors of a collection in Milvus."""
    wanted = {"index_type": index_type, "metric_type": _METRICS[metric], "params": dict(params)}
    return Prepare.create_index_request(name, vector_field(metric), wanted, index_name=vector_field(metric))


def load(name: str) -> Any:
    """Bring a collection in Milvus into the memory of its server, which only then searches it."""
    return Prepare.load_collection(name)


def drop(name: str) -> Any:
    """Remove a collection in Milvus."""
    return Prepare.drop_collection_request(name)


def upsert(place: Place, rows: Sequence[Row]) -> Any:
    """Keep rows, replacing those of the same id."""
    types = schema_pb2.DataType
    vectors = schema_pb2.FloatArray()
    for row in rows:
        vectors.data.extend(row.vector.tolist())
    fields = [
        _texts("id", [place.key_of(row.id) for row in rows]),
        schema_pb2.FieldData(
            type=types.FloatVector,
            field_name=vector_field(place.metric),
            vectors=schema_pb2.VectorField(dim=place.dimension, float_vector=vectors),
        ),
        _texts("text", [row.text for row in rows]),
        schema_pb2.FieldData(
            type=types.JSON,
            field_name="metadata",
            scalars=schema_pb2.ScalarField(json_data=schema_pb2.JSONArray(data=[row.metadata for row in rows])),
        ),
    ]
    if place.space:
        fields.append(_texts("space", [place.space] * len(rows)))
    return milvus_pb2.UpsertRequest(collection_name=place.name, num_rows=len(rows), fields_data=fields)


def search(place: Place, vector: Any, limit: int, filter_: str, params: Mapping[str, Any]) -> Any:
    """The `limit` nearest rows that meet the filter, with their text and metadata. `vector` is a float32 array."""
    return Prepare.search_requests_with_expr(
        collection_name=place.name,
        anns_field=vector_field(place.metric),
        param={"metric_type": _METRICS[place.metric], "params": dict(params)},
        limit=limit,
        data=[vector],
        expr=_within(place, filter_),
        output_fields=["text", "metadata"],
        **_STRONG,
    )


def page(place: Place, filter_: str, *, after: str | None, limit: int, fields: Sequence[str]) -> Any:
    """The first `limit` rows that meet the filter, in order of primary key, behind the one of key `after`."""
    behind = "" if after is None else f"id > {quoted(after)}"
    # As pymilvus's own iterator asks for pages.
    return Prepare.query_request(
        place.name,
        both(_within(place, filter_), behind),
        ["id", *fields],
        None,
        limit=limit,
        iterator="True",
        reduce_stop_for_best=True,
        **_STRONG,
    )


def count(place: Place) -> Any:
    """How many rows there are."""
    return Prepare.query_request(place.name, _within(place, ""), ["count(*)"], None, **_STRONG)


def delete(place: Place, filter_: str) -> Any:
    """Remove the rows that meet the filter, which must not be empty unless the place is shared."""
    return Prepare.delete_request(
        place.name, _within(place, filter_), consistency_level=common_pb2.ConsistencyLevel.Strong
    )


def having(keys: Sequence[str]) -> str:
    """A filter for the rows with these primary keys."""
    return f"id in [{', '.join(quoted(key) for key in keys)}]"


def _within(place: Place, filter_: str) -> str:
    return both(f"space == {quoted(place.space)}" if place.space else "", filter_)


def _texts(field: str, values: Sequence[str]) -> Any:
    return schema_pb2.FieldData(
        type=schema_pb2.DataType.VarChar,
        field_name=field,
        scalars=schema_pb2.ScalarField(string_data=schema_pb2.StringArray(data=values)),
    )
