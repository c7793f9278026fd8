"""What is kept on this machine moves to real servers, survives a kill on the way, and means the same there."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sre_core.access import Access, Candidate
from sre_core.connectors import VectorRecord
from sre_core.runtime import Runtime
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.servers import ServerProcess, find_server, free_port

pytestmark = pytest.mark.integration

ADA, BEA = Candidate.agent("ada"), Candidate.user("bea")
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith(("SRE_", "COV_"))}
AWS = 'region = "us-east-1"\naccess_key_id = "AKIAEXAMPLE"\nsecret_access_key = "example-4711"\n'
OBJECTS = 120


def settings(port: int, *, default: str = "local") -> str:
    """A project with an embedded connector of each kind, and the server's."""
    s3 = f'use = "s3"\nbucket = "notes"\nurl = "http://127.0.0.1:{port}"\n{AWS}'
    return f"""
[connectors.llm.default]
use = "echo"

[connectors.storage.default]
{s3 if default == "s3" else 'use = "local"'}

[connectors.storage.s3]
{s3}

[connectors.vectors.milvus]
use = "milvus"
uri = ".sre/milvus.db"

[connectors.vault.default]
use = "file"
path = ".sre/vault"
passphrase = "for this test"
cost = 14

[connectors.vault.aws]
use = "aws-secrets"
url = "http://127.0.0.1:{port}"
{AWS}
"""


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that speaks S3 and Secrets Manager."""
    program = find_server("moto_server", hint="pip install 'moto[server]'", folders=[Path(sys.executable).parent])
    port = free_port()
    with ServerProcess(
        [program, "-H", "127.0.0.1", "-p", str(port)], port=port, folder=tmp_path_factory.mktemp("moto")
    ):
        yield port


@pytest.fixture
def project(tmp_path: Path, moto: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    import boto3

    client: Any = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{moto}",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket="notes")
    for found in client.list_objects_v2(Bucket="notes").get("Contents", []):
        client.delete_object(Bucket="notes", Key=found["Key"])
    (tmp_path / "sre.toml").write_text(settings(moto))
    monkeypatch.chdir(tmp_path)
    return tmp_path


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sre_cli", *arguments, env=ENVIRON, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )


async def sre(*arguments: str) -> dict[str, Any]:
    process = await start(*arguments, "--json")
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert b"example-4711" not in out + err
    facts: dict[str, Any] = json.loads(out)
    return facts


async def test_objects_arrive_in_s3_also_when_the_copy_was_killed_and_mean_the_same_there(
    project: Path, moto: int
) -> None:
    async with Runtime() as runtime:
        storage = runtime.storage(ADA)
        for number in range(OBJECTS):
            await storage.write(f"notes/{number:03}", bytes([number]) * 5000, metadata={"Größe": str(number)})
        await storage.expire("notes/000", 3600)
        await storage.grant("notes", BEA, Access.READ)
        await storage.grant("notes/001", BEA, Access.WRITE)

    async with Runtime() as runtime, FaultProxy.before(moto) as proxy:
        proxy.delay = 0.02
        (project / "sre.toml").write_text(settings(proxy.port))
        copying = await start("storage", "copy", "default", "s3", "--jobs", "2")
        arrived: list[str] = []
        while len(arrived) < 10:
            assert copying.returncode is None
            arrived = [info.key async for info in runtime.storage(ADA, "s3").list()]
        copying.send_signal(signal.SIGKILL)
        await copying.communicate()

        arrived = [info.key async for info in runtime.storage(ADA, "s3").list()]
        assert len(arrived) < OBJECTS
        for key in arrived:
            assert await runtime.storage(ADA, "s3").read(key) == bytes([int(key[-3:])]) * 5000

    (project / "sre.toml").write_text(settings(moto))
    facts = await sre("storage", "copy", "default", "s3")
    assert (facts["same"], facts["copied"], facts["different"]) == (len(arrived), OBJECTS - len(arrived), 0)

    (project / "sre.toml").write_text(settings(moto, default="s3"))
    async with Runtime() as runtime:
        theirs = runtime.storage(BEA).of(ADA)
        assert await theirs.read("notes/007") == bytes([7]) * 5000
        assert (await theirs.stat("notes/007")).metadata == {"Größe": "7"}
        assert (await theirs.stat("notes/000")).expires is not None
        assert [await theirs.allowed(path, Access.WRITE) for path in ("notes/001", "notes/002")] == [True, False]
        assert await runtime.storage(BEA, "s3").of(ADA).allowed("notes/001", Access.WRITE) is False

    back = await sre("storage", "copy", "s3", "local")
    assert (back["same"], back["copied"], back["different"]) == (OBJECTS, 0, 0)


async def test_collections_arrive_in_milvus(project: Path) -> None:
    async with Runtime() as runtime:
        vectors = runtime.vectors(ADA)
        await vectors.create("docs", 3)
        records = [VectorRecord(id=f"r{n}", vector=[n, 1, 2], metadata={"n": n}, text=f"t{n}") for n in range(300)]
        await vectors.upsert("docs", records)
        await vectors.grant("docs", BEA, Access.READ)
    assert (await sre("vectors", "copy", "default", "milvus"))["different"] == 0
    async with Runtime() as runtime:
        (info,) = await runtime.vectors(ADA, "milvus").collections()
        assert (info.name, info.dimension, info.count) == ("docs", 3, 300)
        (found, *_) = await runtime.vectors(BEA, "milvus").of(ADA).query("docs", [1, 1, 2], k=1)
        assert (found.id, found.text, found.metadata) == ("r1", "t1", {"n": 1})


async def test_secrets_arrive_in_a_vault_of_the_cloud(project: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sre_cli", "vault", "set", "openai", env=ENVIRON, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    await process.communicate(b"sk-4711")
    facts = await sre("vault", "copy", "default", "aws")
    assert (facts["copied"], facts["different"]) == (1, 0)
    assert (await sre("vault", "copy", "default", "aws"))["same"] == 1
    shown = await start("vault", "get", "openai", "--vault", "aws", "--reveal")
    assert (await shown.communicate())[0] == b"sk-4711\n"
