"""One program, on the embedded vectors and on Milvus: two lines of sre.toml make the difference, and no result does."""

from pathlib import Path
from typing import Any

import pytest

from sre_core.access.candidate import Candidate
from sre_core.config import Config, load
from sre_core.connectors.vectors import Metric, VectorRecord, Vectors
from sre_core.errors import ConfigError, ConflictError, NotFoundError, UnauthenticatedError
from sre_core.runtime import Runtime

from .misbehaving import engine  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio

TEXTS = {"cats": [0.9, 0.1, 0.0], "ships": [0.0, 0.2, 0.9], "dogs": [0.8, 0.3, 0.1], "zero": [0.0, 0.0, 0.0]}


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


async def run(folder: Path, toml: str) -> list[Any]:
    async with Runtime(project(folder, toml)) as runtime:
        return await program(runtime.vectors(Candidate.agent("a1")))


@pytest.mark.parametrize("layout", ["collections", "partitions"])
async def test_the_same_program_has_the_same_results(tmp_path, layout):
    embedded = await run(tmp_path / "embedded", '[connectors.vectors.default]\nuse = "memory"\n')
    milvus = await run(
        tmp_path / "milvus",
        f'[connectors.vectors.default]\nuse = "milvus"\nuri = ".sre/milvus.db"\nlayout = "{layout}"\n',
    )
    assert milvus == embedded
    assert (tmp_path / "milvus" / ".sre" / "milvus.db").is_dir()


async def test_a_key_comes_from_the_vault(tmp_path, monkeypatch):
    """The server wants it, so that another one does not do."""
    with engine(tmp_path / "data", token="the-key-of-zilliz-7712") as (port, _):
        toml = (
            f'[connectors.vectors.default]\nuse = "milvus"\nuri = "http://127.0.0.1:{port}"\n'
            'token = { vault = "zilliz" }\n'
            '[connectors.vault.default]\nuse = "env"\n'
        )
        monkeypatch.setenv("ZILLIZ_API_KEY", "another-key-of-zilliz-7713")
        with pytest.raises(UnauthenticatedError):
            await run(tmp_path / "wrong", toml)
        monkeypatch.setenv("ZILLIZ_API_KEY", "the-key-of-zilliz-7712")
        embedded = await run(tmp_path / "embedded", '[connectors.vectors.default]\nuse = "memory"\n')
        assert await run(tmp_path / "project", toml) == embedded
