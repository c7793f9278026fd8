"""One program, on the embedded vectors and on Pinecone: two lines of sre.toml differ, and no result does."""

from pathlib import Path
from typing import Any

import pytest

from sre_core.access.candidate import Candidate
from sre_core.config import Config, load
from sre_core.connectors.vectors import Metric, VectorRecord, Vectors
from sre_core.errors import ConfigError, ConflictError, NotFoundError
from sre_core.runtime import Runtime

from .fake_pinecone import KEY, FakePinecone  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio

TEXTS = {"cats": [0.9, 0.1, 0.0], "ships": [0.0, 0.2, 0.9], "dogs": [0.8, 0.3, 0.1]}


async def program(vectors: Vectors) -> list[Any]:
    """What an agent may do with vectors, and all that it gets to see."""
    seen: list[Any] = []
    for metric in Metric:
        name = f"Notes of {metric}/2026"
        await vectors.create(name, 3, metric=metric)
        await vectors.create(name, 3, metric=metric, exist_ok=True)
        records = [
            VectorRecord(
                id=key, vector=vector, text=f"about {key} 🎈", metadata={"n": n, "half": n / 2, "even": n % 2 == 0}
            )
            for n, (key, vector) in enumerate(TEXTS.items())
        ]
        await vectors.upsert(name, records)
        for where in (None, {"n": {"gt": 0}}, {"even": True}, {"half": {"in": [0.5, 1]}}, {"missing": {"ne": 1}}):
            found = await vectors.query(name, [1, 0, 0], k=3, where=where)
            seen += [(match.id, round(match.score, 5), match.text, dict(match.metadata)) for match in found]
        seen.append(await vectors.delete(name, where={"n": {"lte": 0}}))
        seen.append(await vectors.delete(name, ids=["dogs", "nobody"]))
    seen += await vectors.collections()
    for call in (
        vectors.create("Notes of dot/2026", 3),
        vectors.query("nothing", [1, 0, 0]),
        vectors.upsert("Notes of dot/2026", [VectorRecord(id="x", vector=[1, 0])]),
    ):
        try:
            await call
        except (ConfigError, ConflictError, NotFoundError) as error:
            seen.append(type(error))
    await vectors.drop("Notes of dot/2026")
    seen += [info.name for info in await vectors.collections()]
    return seen


def project(folder: Path, toml: str) -> Config:
    folder.mkdir()
    (folder / "sre.toml").write_text(toml)
    return load(folder, {}).config


async def run(config: Config) -> list[Any]:
    async with Runtime(config) as runtime:
        return await program(runtime.vectors(Candidate.agent("a1")))


async def test_the_same_program_has_the_same_results_and_the_key_comes_from_the_vault(
    tmp_path, monkeypatch, fake: FakePinecone
):
    fake.lag = fake.count_lag = 2
    monkeypatch.setenv("PINECONE_API_KEY", KEY)
    embedded = await run(project(tmp_path / "embedded", '[connectors.vectors.default]\nuse = "memory"\n'))
    pinecone = await run(
        project(
            tmp_path / "pinecone",
            '[connectors.vectors.default]\nuse = "pinecone"\n'
            f'key = {{ vault = "pinecone" }}\nurl = "{fake.url}"\n'
            '[connectors.vault.default]\nuse = "env"\n',
        )
    )
    assert pinecone == embedded
