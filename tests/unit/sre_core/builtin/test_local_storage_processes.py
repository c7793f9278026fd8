"""LocalStorage among processes: kills, full disks, several writers, and its memory."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sre_core.builtin.local_storage import LocalSettings, LocalStorage

WORKER = Path(__file__).with_name("storage_worker.py")
MEBIBYTE = 1 << 20


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "storage"


@pytest.fixture
async def storage(folder):
    storage = LocalStorage(LocalSettings(folder=folder))
    await storage.start()
    await storage.write("object", b"old", metadata={"state": "old"})
    yield storage
    await storage.stop()


@pytest.fixture
def work(folder):
    """Starts workers on the folder; what still runs at the end is killed."""
    started = []

    def start(command, *arguments):
        worker = subprocess.Popen(
            [sys.executable, str(WORKER), str(folder), command, *map(str, arguments)], stdout=subprocess.PIPE, text=True
        )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


def result(worker):
    output, _ = worker.communicate(timeout=300)
    assert worker.returncode == 0
    return json.loads(output) if output else None


def temporary(folder):
    return list((folder / ".temp").iterdir())


def age(folder):
    """Make the temporary files look an hour old."""
    for file in temporary(folder):
        os.utime(file, (time.time() - 3600,) * 2)


async def is_old(storage):
    assert await storage.read("object") == b"old"
    assert (await storage.stat("object")).metadata == {"state": "old"}
    assert [info.key async for info in storage.list("")] == ["object"]
    return True


async def test_a_kill_in_a_streamed_write_leaves_the_old_object(storage, folder, work):
    worker = work("hang")
    assert worker.stdout.readline() == "writing\n"
    assert await is_old(storage)
    worker.kill()
    worker.wait()
    assert await is_old(storage)


async def test_what_a_dead_process_left_is_removed_at_the_next_start_and_never_before(storage, folder, work):
    worker = work("hang")
    worker.stdout.readline()
    age(folder)
    await storage.start()
    assert len(temporary(folder)) == 1, "the file of a living process was removed"
    worker.kill()
    worker.wait()
    for file in temporary(folder):
        os.utime(file)
    await storage.start()
    assert len(temporary(folder)) == 1, "a file that may be about to be locked was removed"
    age(folder)
    await storage.start()
    assert temporary(folder) == []
    assert await is_old(storage)


@pytest.mark.parametrize(
    ("call", "count"),
    [("write", 1), ("write", 2), ("write", 4), ("fsync", 1), ("replace", 1)],
    ids=["at-the-first-byte", "in-the-bytes", "at-the-header", "at-the-flush", "at-the-move"],
)
async def test_a_kill_before_the_move_leaves_the_old_object(storage, folder, work, call, count):
    worker = work("die", call, count)
    assert worker.wait(timeout=300) == -signal.SIGKILL
    assert len(temporary(folder)) == 1
    assert await is_old(storage)
    await storage.write("object", b"newer")
    assert await storage.read("object") == b"newer"


async def test_a_kill_after_the_move_leaves_the_new_object(storage, folder, work):
    worker = work("die", "fsync", 2)
    assert worker.wait(timeout=300) == -signal.SIGKILL
    assert temporary(folder) == []
    assert await storage.read("object") == b"n" * 3 * MEBIBYTE
    assert (await storage.stat("object")).metadata == {"state": "new"}


async def test_a_full_disk_is_an_error_with_a_hint_and_leaves_the_old_object(storage, folder, work):
    errors = result(work("overfill"))
    assert len(errors) == 2
    for message, hint in errors:
        assert "'object' failed: no room is left" in message
        assert "free some space" in hint
    assert temporary(folder) == []
    assert await is_old(storage)


async def test_several_processes_never_tear_an_object(storage, work):
    workers = [work("overwrite", digit, 15) for digit in (1, 2)]
    seen = set()
    while any(worker.poll() is None for worker in workers):
        data = await storage.read("object")
        digit = data[:1].decode()
        assert data in (b"old", digit.encode() * (MEBIBYTE + int(digit if digit.isdigit() else 0)))
        info = await storage.stat("object")
        assert info.metadata == {"state": "old"} or info.size == MEBIBYTE + int(info.metadata["digit"])
        seen.add(digit)
    assert [worker.returncode for worker in workers] == [0, 0]
    assert seen & {"1", "2"}


async def test_of_many_processes_one_wins_each_version(storage, work):
    workers = [work("increment", 15) for _ in range(3)]
    written = [number for worker in workers for number in result(worker)]
    assert sorted(written) == list(range(1, 46))
    assert await storage.read("count") == b"45"


@pytest.mark.slow
async def test_a_gibibyte_moves_in_little_memory(folder, work):
    size, grown = result(work("measure", 1024))
    assert size == 1024 * MEBIBYTE
    assert grown < 64 * MEBIBYTE, f"the peak of the memory grew by {grown / MEBIBYTE:.0f} MiB"
