"""Vectors in Milvus against pymilvus: one record kept, and the nearest five asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pymilvus import AsyncMilvusClient, DataType, MilvusClient  # type: ignore[import-untyped]

from benchmarks.connectors.contest import Contest
from benchmarks.connectors.programs import beside_python
from benchmarks.connectors.runtime import AGENT, runtime_with
from benchmarks.result import Row
from sre_core.connectors.vectors import Scalar, VectorRecord
from sre_core.testing.servers import ServerProcess, free_port

__all__ = ["measure"]

_DIMENSION = 128
_RECORDS = 200
_NEAREST = 5
_TEXT = "What the vector stands for."
_METADATA: Mapping[str, Scalar] = {"source": "notes", "page": 7}


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On the engine of Milvus Lite, with its own server: all searches are exact, and see what was just kept."""
    port = free_port()
    program = beside_python("milvus-lite", hint="pip install milvus-lite")
    words = [
        "server",
        "--data-dir",
        str(folder / "data"),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--max-workers",
        "1",
    ]
    uri = f"http://127.0.0.1:{port}"
    with ServerProcess([program, *words], port=port, folder=folder):
        _make_collection(uri)
        client = AsyncMilvusClient(uri)
        async with runtime_with("vectors", folder, use="milvus", uri=uri, index="FLAT") as runtime:
            vectors = runtime.vectors(AGENT)
            await vectors.create("ours", _DIMENSION)
            random = np.random.default_rng(1)
            # As they come from a model: lists of numbers.
            points: list[list[float]] = random.standard_normal((_RECORDS, _DIMENSION), dtype=np.float32).tolist()

            async def ours(number: int) -> None:
                id_, point = str(number % _RECORDS), points[number % _RECORDS]
                record = VectorRecord(id=id_, vector=point, text=_TEXT, metadata=_METADATA)
                await vectors.upsert("ours", [record])
                found = await vectors.query("ours", point, k=_NEAREST)
                assert found[0].id == id_
                assert found[0].text == _TEXT

            async def bare(number: int) -> None:
                id_, point = str(number % _RECORDS), points[number % _RECORDS]
                await client.upsert("bare", [{"id": id_, "vector": point, "text": _TEXT, "metadata": _METADATA}])
                found = await client.search("bare", [point], limit=_NEAREST, output_fields=["text", "metadata"])
                assert found[0][0]["id"] == id_
                assert found[0][0]["entity"]["text"] == _TEXT

            try:
                return await contest.rows("milvus: upsert and query one", ours=ours, bare=bare, count=200)
            finally:
                await client.close()


def _make_collection(uri: str) -> None:
    """One like ours. With the client that blocks: the other one calls what this server does not have."""
    client: Any = MilvusClient(uri)
    schema = MilvusClient.create_schema(enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=65535)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=_DIMENSION)
    schema.add_field("text", DataType.VARCHAR, max_length=65535)
    schema.add_field("metadata", DataType.JSON)
    index = MilvusClient.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="COSINE")
    client.create_collection("bare", schema=schema, index_params=index, consistency_level="Strong")
    client.close()
