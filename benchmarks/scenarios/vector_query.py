"""An exact vector query over 100,000 vectors of 384 numbers, against the one product that it cannot do without."""

import asyncio
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from benchmarks.bench import Bench
from benchmarks.result import Bar, Row, ratio
from sre_core.access.candidate import Candidate
from sre_core.config import load
from sre_core.connectors.vectors import VectorRecord
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime

__all__ = ["measure"]

_DIMENSION = 384
_BATCH = 1000


def measure(bench: Bench) -> list[Row]:
    """Wall time, since the product uses several cores; in turns."""
    samples = asyncio.run(_measure(bench.count(100_000), bench.count(60)))
    bar = Bar(against="one matrix-vector product", ratio=ratio(samples, "ours", "bare"), bar=1.5)
    return [Row(name="exact vector query, 100,000 x 384", unit="wall ms", samples=samples, bars=(bar,))]


async def _measure(count: int, rounds: int) -> Mapping[str, list[float]]:
    random = np.random.default_rng(1)
    matrix = random.standard_normal((count, _DIMENSION), dtype=np.float32)
    samples: dict[str, list[float]] = {"ours": [], "bare": []}
    with tempfile.TemporaryDirectory() as folder:
        memory = {"connectors": {"vectors": {"default": {"use": "memory"}}}}
        config = load(Path(folder), {}, {"data": folder, **memory}).config
        async with Runtime(config, plugins=Plugins()) as runtime:
            vectors = runtime.vectors(Candidate.agent("one"))
            await vectors.create("all", _DIMENSION)
            for start in range(0, count, _BATCH):
                rows = matrix[start : start + _BATCH].tolist()
                await vectors.upsert(
                    "all", [VectorRecord(id=str(start + index), vector=row) for index, row in enumerate(rows)]
                )
            for _ in range(rounds):
                vector = random.standard_normal(_DIMENSION, dtype=np.float32)
                listed = vector.tolist()
                began = time.perf_counter()
                product = matrix @ vector
                samples["bare"].append((time.perf_counter() - began) * 1e3)
                began = time.perf_counter()
                found = await vectors.query("all", listed, k=10)
                samples["ours"].append((time.perf_counter() - began) * 1e3)
                assert len(found) == 10
                assert product.shape == (count,)
    return samples
