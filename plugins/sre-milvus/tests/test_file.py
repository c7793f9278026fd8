"""A file of Milvus Lite: who may have it, and what a restart or a crash leaves."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from sre_core.connectors.vectors import Metric, VectorRecord, parse_where
from sre_core.errors import ConfigError, ConnectorError, UnavailableError
from sre_milvus import MilvusSettings, MilvusVectors

from .programs import python  # noqa: TID252 -- the folder of tests is no package

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


async def test_after_a_change_that_could_not_be_written_none_is_taken_until_a_restart(tmp_path, monkeypatch):
    """The engine would acknowledge what it writes behind the torn end of its log, and lose it in a crash."""
    from milvus_lite.engine.collection import Collection

    connector = connector_of(tmp_path / "milvus.db")
    await connector.start()
    await connector.create("agent/a/notes", 2)
    await connector.upsert("agent/a/notes", [VectorRecord(id="a", vector=[1, 0])])
    with monkeypatch.context() as full:
        full.setattr(Collection, "upsert", fails_with(OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(ConnectorError, match="No space left"):
            await connector.upsert("agent/a/notes", [VectorRecord(id="b", vector=[1, 0])])
    for change in (
        connector.upsert("agent/a/notes", [VectorRecord(id="c", vector=[1, 0])]),
        connector.delete("agent/a/notes", ids=["a"]),
    ):
        with pytest.raises(ConnectorError, match="until it is opened again"):
            await change
    assert await ids(connector) == ["a"]
    await connector.stop()
    await connector.start()
    await connector.upsert("agent/a/notes", [VectorRecord(id="c", vector=[1, 0])])
    assert await ids(connector) == ["a", "c"]
    await connector.stop()


def fails_with(error: Exception) -> Callable[..., None]:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("left", [0, 200])
async def test_an_index_that_was_half_written_is_built_again(tmp_path, left):
    """As by a kill, or on a full disk; the engine would never load its collection again."""
    file = tmp_path / "milvus.db"
    connector = connector_of(file)
    for _ in range(2):  # what was there at the start has an index in a file
        await connector.start()
        if not await connector.collections(""):
            await connector.create("agent/a/notes", 2)
            await connector.upsert("agent/a/notes", [VectorRecord(id=f"r{n}", vector=[1, n]) for n in range(50)])
        assert len(await ids(connector)) == 50
        await connector.stop()
    (index,) = file.rglob("*.idx")
    with index.open("r+b") as torn:
        torn.truncate(left)
    await connector.start()
    assert len(await ids(connector)) == 50
    await connector.stop()
    assert index.stat().st_size > 400


async def test_a_collection_whose_making_was_broken_off_can_be_made(tmp_path, monkeypatch):
    """As by a kill between its folder and its schema."""
    file = tmp_path / "milvus.db"
    connector = connector_of(file)
    await connector.start()
    with monkeypatch.context() as killed:
        killed.setattr("os.replace", fails_with(OSError(errno.EIO, "as if killed")))
        with pytest.raises(ConnectorError, match="as if killed"):
            await connector.create("agent/a/notes", 2)
    assert [path.name for path in (file / "collections").rglob("*.tmp")] == ["schema.json.tmp"]
    await connector.stop()
    await connector.start()
    await connector.create("agent/a/notes", 2)
    assert await ids(connector) == []
    await connector.stop()


async def test_two_prefixes_share_a_file_one_after_the_other(tmp_path):
    for prefix in ("one", "two"):
        connector = connector_of(tmp_path / "milvus.db", prefix=prefix)
        await connector.start()
        assert await connector.collections("") == []
        await connector.create("agent/a/notes", 2)
        assert [info.name for info in await connector.collections("")] == ["agent/a/notes"]
        await connector.stop()


async def test_the_engine_finishes_its_call_before_its_file_is_closed(tmp_path, monkeypatch):
    """Also a call that the client has given up."""
    from milvus_lite.adapter.grpc.servicer import MilvusServicer
    from milvus_lite.db import MilvusLite

    begun, closed, seen = threading.Event(), threading.Event(), []
    answer, close = MilvusServicer.GetVersion, MilvusLite.close

    def answer_late(self, request, context):
        begun.set()
        closed.wait(0.5)
        seen.append("answered")
        return answer(self, request, context)

    def close_at_last(self):
        closed.set()
        seen.append("closed")
        close(self)

    monkeypatch.setattr(MilvusServicer, "GetVersion", answer_late)
    monkeypatch.setattr(MilvusLite, "close", close_at_last)
    connector = connector_of(tmp_path / "milvus.db")
    await connector.start()
    call = asyncio.create_task(connector.ping())
    await anyio.to_thread.run_sync(begun.wait)
    await connector.stop()
    assert seen == ["answered", "closed"]
    with pytest.raises(UnavailableError):
        await call


def test_it_can_be_stopped_and_started_after_its_event_loop_has_ended(tmp_path):
    connector = connector_of(tmp_path / "milvus.db")
    asyncio.run(connector.start())

    async def again() -> None:
        await connector.stop()
        await connector.start()
        await connector.ping()
        await connector.stop()

    asyncio.run(again())


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


@pytest.mark.parametrize("name", ["deep/er/milvus.db", "with space, ü and %20 #.db", "long" * 30 + "/" + "long" * 30])
async def test_a_file_is_made_with_the_folders_above_it_whatever_its_name(tmp_path, name):
    connector = connector_of(tmp_path / name)
    await connector.start()
    await connector.stop()
    assert await anyio.Path(tmp_path / name).is_dir()


async def test_a_name_that_is_too_long_is_told(tmp_path):
    connector = connector_of(tmp_path / ("long" * 100))
    with pytest.raises(ConnectorError, match="name too long"):
        await connector.start()
    await connector.stop()


@pytest.mark.parametrize("name", ["long" * 30, "with space, ü and %41"])
async def test_the_folder_for_temporary_files_may_have_any_name(tmp_path, monkeypatch, name):
    """A path that is too long for a socket is not used."""
    (tmp_path / name).mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / name))
    connector = connector_of(tmp_path / "milvus.db")
    await connector.start()
    await connector.ping()
    await connector.stop()
    assert list((tmp_path / name).iterdir()) == []


async def test_without_a_folder_for_temporary_files_it_says_so(tmp_path, monkeypatch):
    # A long path would not be tried at all.
    monkeypatch.setattr("tempfile.tempdir", "/missing-for-a-test")
    connector = connector_of(tmp_path / "milvus.db")
    with pytest.raises(ConnectorError, match="no place to listen") as refused:
        await connector.start()
    assert "TMPDIR" in str(refused.value.hint)
    await connector.stop()
    monkeypatch.undo()
    await connector.start()
    await connector.stop()
