"""Vectors in Pinecone against the `pinecone` package: the nearest five asked for, and one record kept."""

from collections.abc import Mapping
from pathlib import Path

from pinecone import AsyncIndex

from benchmarks.connectors.canned import DIMENSION, FOUND
from benchmarks.connectors.contest import Contest
from benchmarks.connectors.models import server
from benchmarks.connectors.runtime import AGENT, runtime_with
from benchmarks.result import Row
from sre_core.connectors.vectors import Scalar, VectorRecord

__all__ = ["measure"]

_COLLECTION, _NAMESPACE = "notes", "agent__bench__notes"
_NEAREST = 5
_POINT = [(number % 17) / 17 for number in range(DIMENSION)]
_METADATA: Mapping[str, Scalar] = {"source": "notes", "page": 7}


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On a server that always finds the same. A record counts as kept when it shows, so that is asked for as well."""
    with server(folder) as url:
        async with (
            runtime_with("vectors", folder, use="pinecone", key="none", host=url) as runtime,
            AsyncIndex(host=url, api_key="none") as index,
        ):
            vectors = runtime.vectors(AGENT)

            async def query(number: int) -> None:
                found = await vectors.query(_COLLECTION, _POINT, k=_NEAREST)
                assert found[0].id == FOUND["id"]
                assert found[0].metadata == _METADATA

            async def bare_query(number: int) -> None:
                found = await index.query(vector=_POINT, top_k=_NEAREST, namespace=_NAMESPACE, include_metadata=True)
                assert found.matches[0].id == FOUND["id"]
                assert found.matches[0].metadata == FOUND["metadata"]

            async def upsert(number: int) -> None:
                record = VectorRecord(id=str(number), vector=_POINT, metadata=_METADATA)
                await vectors.upsert(_COLLECTION, [record])

            async def bare_upsert(number: int) -> None:
                kept = await index.upsert(
                    vectors=[{"id": str(number), "values": _POINT, "metadata": FOUND["metadata"]}], namespace=_NAMESPACE
                )
                assert kept.upserted_count == 1
                assert (await index.query(vector=_POINT, top_k=1, namespace=_NAMESPACE)).matches

            return [
                *await contest.rows("pinecone: query", ours=query, bare=bare_query, count=600),
                *await contest.rows("pinecone: upsert", ours=upsert, bare=bare_upsert, count=400),
            ]
