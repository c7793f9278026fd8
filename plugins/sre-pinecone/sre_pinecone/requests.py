"""What we want, as bodies of Pinecone's requests: pure functions."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sre_core.builtin.vector_index import read_vectors
from sre_core.connectors.vectors import Metric, VectorRecord
from sre_core.errors import ConfigError
from sre_pinecone.filters import Filter
from sre_pinecone.metadata import LONGEST_METADATA, pack
from sre_pinecone.names import METRICS, record_id

__all__ = ["create_index", "create_namespace", "delete", "fetch_where", "query", "records_of", "upserts"]

_LARGEST_BODY = 2_000_000


def create_index(name: str, dimension: int, metric: Metric, *, cloud: str, region: str) -> bytes:
    """A serverless index for dense vectors, in the form that also the vectors API has since 2026-07."""
    field = {"type": "dense_vector", "dimension": dimension, "metric": METRICS[metric]}
    return _json(
        {
            "name": name,
            "schema": {"fields": {"_values": field}},
            "deployment": {"deployment_type": "managed", "cloud": cloud, "region": region},
        }
    )


def create_namespace(name: str) -> bytes:
    """An empty namespace."""
    return _json({"name": name})


def records_of(records: Sequence[VectorRecord], dimension: int) -> list[bytes]:
    """The records of a batch as JSON, one for each id, the last. Raises ConfigError for what Pinecone cannot keep."""
    found: dict[str, bytes] = {}
    for record, vector in zip(records, read_vectors(records, dimension), strict=True):
        id_ = record_id(record.id)
        if not vector.any():  # as float32, in which small numbers are zeros, too
            raise ConfigError(
                f"the vector of {record.id[:80]!r} has zeros only", hint="Pinecone keeps no such vector; leave it out"
            )
        metadata = pack(record)
        size = len(_json(metadata))
        if size > LONGEST_METADATA:
            raise ConfigError(
                f"text and metadata of {record.id[:80]!r} have {size} bytes, more than Pinecone's {LONGEST_METADATA}",
                hint="cut a long text into several records, or keep it in storage",
            )
        found[id_] = _json({"id": id_, "values": [float(value) for value in record.vector], "metadata": metadata})
    return list(found.values())


def upserts(namespace: str, records: Sequence[bytes], most: int) -> Iterator[bytes]:
    """The bodies that keep these records, at most so many in one."""
    head = f'{{"namespace":{json.dumps(namespace)},"vectors":['.encode()
    part: list[bytes] = []
    size = 0
    for record in records:
        if part and (len(part) == most or len(head) + size + len(record) + 2 > _LARGEST_BODY):
            yield head + b",".join(part) + b"]}"
            part, size = [], 0
        part.append(record)
        size += len(record) + 1
    if part:
        yield head + b",".join(part) + b"]}"


def query(namespace: str, vector: Sequence[float], limit: int, filter_: Filter | None, *, metadata: bool) -> bytes:
    """The `limit` nearest records that meet the filter."""
    body: dict[str, Any] = {
        "namespace": namespace,
        "vector": [float(value) for value in vector],
        "topK": limit,
        "includeValues": False,
        "includeMetadata": metadata,
    }
    if filter_ is not None:
        body["filter"] = filter_
    return _json(body)


def fetch_where(namespace: str, filter_: Filter, token: str | None) -> bytes:
    """A page of the records that meet the filter."""
    body = {"namespace": namespace, "filter": filter_, "limit": 100}
    return _json(body if token is None else {**body, "paginationToken": token})


def delete(namespace: str, records: Sequence[str]) -> bytes:
    """Remove the records of these encoded ids, 1,000 at most."""
    return _json({"namespace": namespace, "ids": list(records)})


def _json(data: Any) -> bytes:
    try:
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise ConfigError("a text is no Unicode text", hint="leave surrogates out") from error
