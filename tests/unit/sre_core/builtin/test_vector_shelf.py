"""What MemoryVectors keeps on disk: it survives kills, refuses damage, and belongs to one process."""

import asyncio
import os
import resource
import signal
import sys
from contextlib import asynccontextmanager

import pytest

from sre_core.builtin.memory_vectors import MemoryVectors, MemoryVectorsSettings
from sre_core.connectors.vectors import Metric, VectorRecord
from sre_core.errors import ConnectorError, UnavailableError

WRITER = """
import asyncio, sys
from pathlib import Path
from sre_core.builtin.memory_vectors import MemoryVectors, MemoryVectorsSettings
from sre_core.connectors.vectors import VectorRecord

async def main():
    vectors = MemoryVectors(MemoryVectorsSettings(folder=Path(sys.argv[1])))
    await vectors.start()
    await vectors.create("c", 64)
    for n in range(10_000):
        await vectors.upsert("c", [VectorRecord(id=f"{n}-{i}", vector=[n] * 64) for i in range(50)])
        print(n, flush=True)

asyncio.run(main())
"""


@asynccontextmanager
async def opened(folder, *, sync=False):
    connector = MemoryVectors(MemoryVectorsSettings(folder=folder, sync=sync))
    await connector.start()
    try:
        yield connector
    finally:
        await connector.stop()


def records(*ids, vector=(1, 0), text=""):
    return [VectorRecord(id=key, vector=vector, metadata={"id": key}, text=text) for key in ids]


async def everything(connector, collection="c"):
    (info,) = await connector.collections(collection)
    found = await connector.query(collection, [1] + [0] * (info.dimension - 1), k=100_000)
    return sorted((match.id, match.score, dict(match.metadata), match.text) for match in found)


def the_file(folder):
    (path,) = folder.glob("*.vectors")
    return path


async def test_everything_is_there_after_a_restart(tmp_path):
    folder = tmp_path / "deep" / "vectors"
    async with opened(folder) as connector:
        await connector.create("agent/ä/Notes", 2, metric=Metric.L2)
        await connector.create("agent/ä/notes", 3)
        await connector.create("gone", 1)
        await connector.upsert("agent/ä/Notes", records("a", "b", "c", text="ü\n"))
        await connector.upsert("agent/ä/Notes", records("b", vector=(0.1, 7)))
        await connector.delete("agent/ä/Notes", ids=["c"])
        await connector.drop("gone")
        before = await everything(connector, "agent/ä/Notes"), await connector.collections("")
    async with opened(folder) as connector:
        assert (await everything(connector, "agent/ä/Notes"), await connector.collections("")) == before


async def test_an_acknowledged_upsert_survives_a_kill_and_others_are_whole_or_absent(tmp_path):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(60):
            for _ in range(20):
                last = int(await process.stdout.readline())
        with pytest.raises(UnavailableError, match="in use by another process"):
            await MemoryVectors(MemoryVectorsSettings(folder=tmp_path)).start()
    finally:
        process.send_signal(signal.SIGKILL)
        rest, _ = await process.communicate()
    last = int((rest.split() or [last])[-1])
    async with opened(tmp_path) as connector:
        found = {key for key, *_ in await everything(connector)}
        batches = len(found) // 50
        assert batches in {last + 1, last + 2}
        assert found == {f"{n}-{i}" for n in range(batches) for i in range(50)}


async def test_the_tail_of_an_unfinished_write_is_ignored_and_overwritten(tmp_path):
    async with opened(tmp_path) as connector:
        await connector.create("c", 2)
        await connector.upsert("c", records("a"))
    with the_file(tmp_path).open("ab") as file:
        file.write(b"half of a batch" * 100)
    async with opened(tmp_path) as connector:
        assert [key for key, *_ in await everything(connector)] == ["a"]
        await connector.upsert("c", records("b"))
    async with opened(tmp_path) as connector:
        assert [key for key, *_ in await everything(connector)] == ["a", "b"]


async def damaged(tmp_path):
    async with opened(tmp_path) as connector:
        await connector.create("c", 2)
        await connector.upsert("c", records("a"))
        await connector.delete("c", ids=["a"])
    return the_file(tmp_path), the_file(tmp_path).read_bytes()


async def refuses(folder, path, content):
    path.write_bytes(content)
    connector = MemoryVectors(MemoryVectorsSettings(folder=folder))
    with pytest.raises(ConnectorError) as error:
        await connector.start()
    assert path.name in str(error.value)
    assert error.value.hint
    await connector.stop()
    assert path.read_bytes() == content


async def test_a_file_cut_anywhere_is_refused_and_left_alone(tmp_path):
    path, content = await damaged(tmp_path)
    for length in range(len(content)):
        await refuses(tmp_path, path, content[:length])


async def test_a_file_altered_anywhere_is_refused_and_left_alone(tmp_path):
    path, content = await damaged(tmp_path)
    for place in range(len(content)):
        await refuses(tmp_path, path, content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])


async def test_after_a_refused_file_is_moved_away_the_rest_loads(tmp_path):
    path, content = await damaged(tmp_path)
    await refuses(tmp_path, path, content[:-1])
    path.rename(tmp_path / "backup")
    async with opened(tmp_path) as connector:
        assert await connector.collections("") == []


async def test_two_runtimes_cannot_use_one_folder_until_the_first_stops(tmp_path):
    second = MemoryVectors(MemoryVectorsSettings(folder=tmp_path))
    async with opened(tmp_path):
        with pytest.raises(UnavailableError, match=str(tmp_path)) as error:
            await second.start()
        assert "folder" in error.value.hint
        await second.stop()
        with pytest.raises(UnavailableError):
            await second.start()
    await second.start()
    await second.stop()


async def test_on_a_full_disk_the_batch_is_refused_and_the_old_records_stay(tmp_path):
    async with opened(tmp_path) as connector:
        await connector.create("c", 2)
        await connector.upsert("c", records("a"))
        with FileSizeLimit(the_file(tmp_path).stat().st_size + 100):
            with pytest.raises(ConnectorError, match="cannot write") as error:
                await connector.upsert("c", records(*(f"new{n}" for n in range(100))))
            with pytest.raises(ConnectorError, match="cannot write"):
                await connector.create("x" * 500, 2)
        assert isinstance(error.value.__cause__, OSError)
        assert [key for key, *_ in await everything(connector)] == ["a"]
        await connector.upsert("c", records("b"))
    async with opened(tmp_path) as connector:
        assert [key for key, *_ in await everything(connector)] == ["a", "b"]
        assert [info.name for info in await connector.collections("")] == ["c"]


class FileSizeLimit:
    def __init__(self, size):
        self.size = size

    def __enter__(self):
        self.old = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.old[1]))

    def __exit__(self, *_):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.old)


async def test_a_cancelled_change_is_on_disk_exactly_if_it_is_in_memory(tmp_path):
    for turns in range(12):
        folder = tmp_path / str(turns)
        async with opened(folder) as connector:
            await connector.create("c", 2)
            changing = asyncio.create_task(connector.upsert("c", records("a", "b")))
            for _ in range(turns):
                await asyncio.sleep(0)
            changing.cancel()
            await asyncio.wait({changing})
            await connector.upsert("c", records("later"))
            before = await everything(connector)
        async with opened(folder) as connector:
            assert await everything(connector) == before


async def test_stop_waits_for_a_change_whose_caller_was_cancelled(tmp_path):
    connector = MemoryVectors(MemoryVectorsSettings(folder=tmp_path))
    await connector.start()
    await connector.create("c", 2)
    changing = asyncio.create_task(connector.upsert("c", records("a")))
    for _ in range(3):
        await asyncio.sleep(0)
    changing.cancel()
    await connector.stop()
    async with opened(tmp_path) as again:
        assert [key for key, *_ in await everything(again)] == ["a"]


async def test_the_file_of_a_collection_that_is_overwritten_does_not_grow_for_ever(tmp_path):
    async with opened(tmp_path) as connector:
        await connector.create("c", 2000)
        for n in range(400):
            await connector.upsert("c", [VectorRecord(id=f"{n % 3}", vector=[n + 1] + [0] * 1999, text=str(n))])
        before = await everything(connector)
        assert the_file(tmp_path).stat().st_size < 1_500_000
    async with opened(tmp_path) as connector:
        assert await everything(connector) == before
        assert {text for *_, text in before} == {"397", "398", "399"}


async def test_a_log_that_cannot_be_compacted_is_no_failure_of_the_change(tmp_path, caplog):
    async with opened(tmp_path) as connector:
        await connector.create("c", 2000)
        batch = [VectorRecord(id="a", vector=[1] * 2000)]
        path = the_file(tmp_path)
        while path.stat().st_size < (1 << 20) + 3 * 8000:
            await connector.upsert("c", batch)
        path.with_suffix(".new").mkdir()
        await connector.upsert("c", batch)
        assert "vector_file_not_compacted" in caplog.text
        path.with_suffix(".new").rmdir()
        before = await everything(connector)
    async with opened(tmp_path) as connector:
        assert await everything(connector) == before
        assert path.stat().st_size < 20_000


async def test_what_a_kill_left_half_written_is_cleared_away(tmp_path):
    async with opened(tmp_path) as connector:
        await connector.create("c", 2)
    (tmp_path / "c-0.new").write_bytes(b"half")
    async with opened(tmp_path) as connector:
        assert len(await connector.collections("")) == 1
    assert list(tmp_path.glob("*.new")) == []


async def test_with_sync_every_change_is_flushed_before_it_is_acknowledged(tmp_path, monkeypatch):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda number, real=os.fsync: flushed.append(real(number)))
    for sync, expected in ((False, 0), (True, 2)):
        async with opened(tmp_path / str(sync), sync=sync) as connector:
            await connector.create("c", 2)
            flushed.clear()
            await connector.upsert("c", records("a"))
            assert len(flushed) == expected
