"""Bodies and records as Pinecone takes, keeps and returns them."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from aiohttp import web


class RefusedError(Exception):
    """An answer with an error, in the form of the data plane."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


async def read_body(request: web.Request, required: set[str], *, optional: set[str] | None = None) -> dict[str, Any]:
    body = json.loads(await request.read(), parse_constant=_not_json)
    if not isinstance(body, dict) or not required <= set(body) <= required | (optional or set()):
        raise RefusedError(400, f"{sorted(body)} is not what is taken here")
    return body


def _not_json(word: str) -> None:
    raise RefusedError(400, f"{word} is no JSON")


def check_vector(vector: Mapping[str, Any], dimension: int) -> None:
    key, values, metadata = vector["id"], vector["values"], vector.get("metadata", {})
    if not isinstance(key, str) or not key.isascii() or "\x00" in key or not 1 <= len(key) <= 512:
        raise RefusedError(400, f"illegal id {key!r}")
    if len(values) != dimension:
        raise RefusedError(400, f"Vector dimension {len(values)} does not match the dimension of the index {dimension}")
    if not np.array(values, dtype=np.float32).any():
        raise RefusedError(400, "Dense vectors must contain at least one non-zero value")
    if len(json.dumps(metadata, ensure_ascii=False, separators=(",", ":")).encode()) > 40_960:
        raise RefusedError(400, "metadata size exceeds the limit of 40960 bytes per vector")
    for name, value in metadata.items():
        strings = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if name.startswith("$") or not (strings or isinstance(value, str | int | float | bool)):
            raise RefusedError(
                400, f"Metadata value must be a string, number, boolean or list of strings, got {value!r}"
            )


def as_stored(vector: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers become 64-bit floating-point ones, and vectors 32-bit ones."""
    metadata = {
        name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in vector.get("metadata", {}).items()
    }
    values = np.array(vector["values"], dtype=np.float32)
    return {"id": vector["id"], "values": values, "metadata": metadata}


def scores_of(records: list[dict[str, Any]], vector: list[float], metric: str) -> Any:
    if not records:
        return np.zeros(0, dtype=np.float32)
    matrix = np.stack([record["values"] for record in records])
    query = np.array(vector, dtype=np.float32)
    if metric == "euclidean":
        return ((matrix - query) ** 2).sum(axis=1)
    product = matrix @ query
    if metric == "dotproduct":
        return product
    return product / (np.linalg.norm(matrix, axis=1) * (np.linalg.norm(query) or math.inf))


def as_fetched(records: Mapping[str, Mapping[str, Any]], namespace: str) -> dict[str, Any]:
    vectors = {key: {**record, "values": record["values"].tolist()} for key, record in records.items()}
    return {"vectors": vectors, "namespace": namespace, "usage": {"readUnits": 1}}


def page_of(items: list[str], query: Mapping[str, str]) -> tuple[list[str], dict[str, Any]]:
    """The tokens are as opaque as theirs: the last item of the page before."""
    limit = int(query.get("limit", "100"))
    if not 1 <= limit <= 100:
        raise RefusedError(400, f"limit {limit} is not 1 to 100")
    after = query.get("paginationToken")
    rest = [item for item in items if after is None or item > after]
    page = rest[:limit]
    return page, {"pagination": {"next": page[-1]}} if len(rest) > limit else {}
