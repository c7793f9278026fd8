"""A file of Milvus Lite: who may have it, and what a restart or a crash leaves."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import anyio
import pytest

from sre_core.connectors.vectors import Metric, VectorRecord, parse_where
from sre_core.errors import ConfigError, ConnectorError, UnavailableError
from sre_milvus import MilvusSettings, MilvusVectors

pytestmark = pytest.mark.anyio


def connector_of(file: Path, **settings) -> MilvusVectors:
    return MilvusVectors(MilvusSettings(uri=file, **settings))


async def ids(connector: MilvusVectors, collection: str = "agent/a/notes", **query) -> list[str]:
    return [match.id for match in await connector.query(collection, [1.0, 0.0], **{"k": 1000, **query})]


async def count(connector: MilvusVectors, collection: str = "agent/a/notes") -> int:
    (info,) = await connector.collections(collection)
    return info.count


@pytest.mark.parametrize("layout", ["collections", "partitions"])
async def test_everything_is_there_again_after_a_restart(tmp_path, layout):
    file = tmp_path / "milvus.db"
    first = connector_of(file, layout=layout)
    await first.start()
    await first.create("agent/a/notes", 2, metric=Metric.L2)
    await first.upsert("agent/a/notes", [VectorRecord(id="a", vector=[1, 0], metadata={"n": 1}, text="hello")])
    await first.stop()

    again = connector_of(file, layout=layout)
    await again.start()
    try:
        (match,) = await again.query("agent/a/notes", [1, 0], k=2, where=parse_where({"n": 1}))
        assert (match.id, match.text, dict(match.metadata), match.score) == ("a", "hello", {"n": 1}, 0.0)
        (info,) = await again.collections("agent")
        assert (info.dimension, info.metric, info.count) == (2, Metric.L2, 1)
    finally:
        await again.stop()


async def test_a_second_connector_is_told_that_the_file_is_in_use(tmp_path):
    first, second = connector_of(tmp_path / "milvus.db"), connector_of(tmp_path / "milvus.db")
    await first.start()
    try:
        with pytest.raises(UnavailableError, match="in use") as refused:
            await second.start()
        assert str(tmp_path / "milvus.db") in str(refused.value)
        await first.create("agent/a/notes", 2)
    finally:
        await second.stop()
        await first.stop()
    await second.start()
    assert await ids(second) == []
    await second.stop()


async def test_another_process_is_told_so_too(tmp_path):
    program = f"""
        import asyncio
        from sre_core.errors import UnavailableError
        from sre_milvus import MilvusSettings, MilvusVectors

        async def main():
            connector = MilvusVectors(MilvusSettings(uri={str(tmp_path / "milvus.db")!r}))
            try:
                await connector.start()
            except UnavailableError as error:
                print(error)

        asyncio.run(main())
    """
    connector = connector_of(tmp_path / "milvus.db")
    await connector.start()
    try:
        said = await asyncio.to_thread(python, program)
    finally:
        await connector.stop()
    assert "is in use by another connector or process" in said


async def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path):
    old = tmp_path / "old.db"
    old.write_bytes(b"SQLite format 3\x00")
    connector = connector_of(old)
    with pytest.raises(ConfigError, match="keeps its data in a folder"):
        await connector.start()
    await connector.stop()
    assert old.read_bytes() == b"SQLite format 3\x00"


async def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    connector = connector_of(tmp_path / "file" / "milvus.db")
    with pytest.raises(ConnectorError, match=r"file/milvus\.db"):
        await connector.start()
    await connector.stop()


@pytest.mark.slow
async def test_what_was_acknowledged_survives_a_kill_in_the_middle_of_writing(tmp_path):
    file = tmp_path / "milvus.db"
    program = f"""
        import asyncio
        from sre_core.connectors.vectors import VectorRecord
        from sre_milvus import MilvusSettings, MilvusVectors

        async def main():
            connector = MilvusVectors(MilvusSettings(uri={str(file)!r}))
            await connector.start()
            await connector.create("agent/a/notes", 2)
            number = 0
            while True:
                batch = [VectorRecord(id=f"{{number}}-{{i}}", vector=[1, i], text="x" * 100) for i in range(20)]
                await connector.upsert("agent/a/notes", batch)
                if number % 10 == 3:
                    await connector.delete("agent/a/notes", ids=[f"{{number}}-0"])
                print(number, flush=True)
                number += 1

        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    last = -1
    while last < 40:
        last = int(await process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest = await process.stdout.read()
    await process.wait()
    last = max([last, *(int(line) for line in rest.split())])

    connector = connector_of(file)
    await connector.start()
    try:
        expected = {f"{n}-{i}" for n in range(last + 1) for i in range(20)} - {f"{n}-0" for n in range(3, last + 1, 10)}
        found = set(await ids(connector, k=100_000))
        assert expected <= found
        # The batch that was being written is there as a whole, with or without its deletion, or not at all.
        assert found - expected <= {f"{last + 1}-{i}" for i in range(20)}
        assert len(found - expected) in {0, 19, 20}
        assert await count(connector) == len(found)
        await connector.upsert("agent/a/notes", [VectorRecord(id="new", vector=[1, 0])])
        assert "new" in await ids(connector, k=100_000)
    finally:
        await connector.stop()


async def test_two_prefixes_share_a_file_one_after_the_other(tmp_path):
    for prefix in ("one", "two"):
        connector = connector_of(tmp_path / "milvus.db", prefix=prefix)
        await connector.start()
        assert await connector.collections("") == []
        await connector.create("agent/a/notes", 2)
        assert [info.name for info in await connector.collections("")] == ["agent/a/notes"]
        await connector.stop()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such sockets")
async def test_nobody_else_can_reach_the_engine(tmp_path):
    """It listens on a socket in a folder that only this user may enter, and leaves nothing behind."""
    connector = connector_of(tmp_path / "milvus.db")
    await connector.start()
    address = connector._session.lite.address
    socket = Path(address.removeprefix("unix:"))
    assert private_socket(socket)
    await connector.stop()
    assert not await anyio.Path(socket.parent).exists()


def private_socket(path: Path) -> bool:
    return path.is_socket() and path.parent.stat().st_mode & 0o077 == 0


async def test_a_file_is_made_with_the_folders_above_it(tmp_path):
    connector = connector_of(tmp_path / "deep" / "er" / "milvus.db")
    await connector.start()
    await connector.stop()
    assert (tmp_path / "deep" / "er" / "milvus.db").is_dir()


def test_the_project_file_with_variables_is_not_read(tmp_path):
    """pymilvus would take `.env` into the environment, where agents and other plugins would find it."""
    (tmp_path / ".env").write_text("SURPRISE=1\n")
    program = f"""
        import asyncio, os
        from sre_milvus import MilvusSettings, MilvusVectors

        async def main():
            connector = MilvusVectors(MilvusSettings(uri={str(tmp_path / "milvus.db")!r}))
            await connector.start()
            await connector.stop()
            print([name for name in ("SURPRISE", "PYTHON_DOTENV_DISABLED") if name in os.environ])

        asyncio.run(main())
    """
    assert python(program, folder=tmp_path).strip() == "[]"


def test_importing_the_plugin_loads_nothing_heavy():
    program = """
        import sys
        import sre_milvus
        print([name for name in ("pymilvus", "grpc", "milvus_lite", "numpy") if name in sys.modules])
    """
    assert python(program).strip() == "[]"


def python(program: str, *, folder: Path | None = None) -> str:
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=folder,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
