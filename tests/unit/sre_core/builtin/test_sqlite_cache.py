"""SqliteCache keeps the rules of a cache, and its file whole."""

import asyncio
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from sre_core.builtin.sqlite_cache import SqliteCache, SqliteCacheSettings
from sre_core.errors import ConnectorError, UnavailableError
from sre_core.testing.conformance.cache import CacheConformance


class TestSqliteCache(CacheConformance):
    def make(self):
        return SqliteCache(SqliteCacheSettings(path=self.folder / "cache.sqlite3"))

    def make_broken(self):
        return SqliteCache(SqliteCacheSettings(path=self.folder))


def cache_at(path: Path, **settings) -> SqliteCache:
    return SqliteCache(SqliteCacheSettings(path=path, **settings))


def process(body: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process with a started cache of the path that is its first argument."""
    program = textwrap.dedent("""
        import asyncio, resource, sys
        from pathlib import Path
        from sre_core.builtin.sqlite_cache import SqliteCache, SqliteCacheSettings
        from sre_core.errors import ConnectorError
        async def main():
            cache = SqliteCache(SqliteCacheSettings(path=Path(sys.argv[1]), busy_timeout=30))
            await cache.start()
        {}
            await cache.stop()
        asyncio.run(main())
    """).format(textwrap.indent(textwrap.dedent(body), "    "))
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(child: subprocess.Popen[str]) -> str:
    output, errors = child.communicate(timeout=300)
    assert child.returncode == 0, errors
    return output


async def test_a_restart_keeps_values_and_their_end(tmp_path):
    first = cache_at(tmp_path / "deep" / "er" / "cache")
    await first.start()
    await first.set("key", b"1", ttl=1000)
    await first.stop()
    second = cache_at(tmp_path / "deep" / "er" / "cache")
    await second.start()
    assert await second.get("key") == b"1"
    assert 900 < await second.expires_in("key") <= 1000
    await second.stop()


def test_several_processes_that_make_the_file_at_once_lose_no_increment(tmp_path):
    path = tmp_path / "cache"
    children = [process("for _ in range(100): await cache.increment('count')\nprint('done')", path) for _ in range(4)]
    assert [finished(child).strip() for child in children] == ["done"] * 4
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT value FROM entries WHERE key = 'count'").fetchone() == (b"400",)
    database.close()


async def test_a_killed_process_leaves_a_usable_file_with_all_it_was_told_is_kept(tmp_path):
    path = tmp_path / "cache"
    child = process(
        """
        for number in range(1_000_000):
            await cache.set(f'key-{number}', b'x' * 1000)
            print(number, flush=True)
        """,
        path,
    )
    assert child.stdout is not None
    kept = 0
    for line in child.stdout:
        kept = int(line)
        if kept >= 200:
            break
    child.kill()
    child.communicate(timeout=300)
    cache = cache_at(path)
    await cache.start()
    for number in range(kept + 1):
        assert await cache.get(f"key-{number}") == b"x" * 1000
    assert await cache.increment("count") == 1
    await cache.stop()
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_the_file_and_its_side_files_are_for_the_user_alone(tmp_path):
    child = process(
        """
        await cache.set('key', b'1')
        print(*(oct(file.stat().st_mode & 0o777) for file in Path(sys.argv[1]).parent.iterdir()))
        """,
        tmp_path / "cache",
    )
    assert set(finished(child).split()) == {"0o600"}


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
async def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "cache"
    path.write_bytes(content)
    cache = cache_at(path)
    with pytest.raises(ConnectorError, match="damaged") as refused:
        await cache.start()
    await cache.stop()
    assert refused.value.hint
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["cache"]


async def test_damage_in_the_middle_of_a_file_is_a_clear_error(tmp_path):
    path = tmp_path / "cache"
    cache = cache_at(path)
    await cache.start()
    for number in range(100):
        await cache.set(f"key-{number}", b"x" * 1000)
    await cache.stop()
    content = bytearray(path.read_bytes())
    content[5 * 4096 :] = b"\xff" * (len(content) - 5 * 4096)
    path.write_bytes(content)
    await cache.start()
    with pytest.raises(ConnectorError, match="damaged"):
        await cache.get("key-50")
    await cache.stop()
    assert path.read_bytes() == content


async def test_the_database_of_another_program_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "theirs"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE entries (theirs)")
    database.close()
    content = path.read_bytes()
    with pytest.raises(ConnectorError, match="not a cache"):
        await cache_at(path).start()
    assert path.read_bytes() == content


async def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConnectorError, match="cannot be opened"):
        await cache_at(tmp_path / "file" / "cache").start()


def test_a_full_disk_is_a_clear_error_and_the_file_stays_usable(tmp_path):
    child = process(
        """
        await cache.set('small', b'1')
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        try:
            await cache.set('large', b'x' * 1_000_000)
        except ConnectorError as error:
            print(error.hint)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(await cache.get('small'), await cache.get('large'), await cache.increment('count'))
        """,
        tmp_path / "cache",
    )
    assert finished(child) == "check the disk: it may be full\nb'1' None 1\n"


async def test_a_file_that_stays_locked_is_unavailable(tmp_path):
    path = tmp_path / "cache"
    cache = cache_at(path, busy_timeout=0.05)
    await cache.start()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError, match="locked"):
        await cache.increment("count")
    other.execute("ROLLBACK")
    other.close()
    assert await cache.increment("count") == 1
    await cache.stop()


async def test_waiting_for_another_process_does_not_stop_the_loop(tmp_path):
    path = tmp_path / "cache"
    cache = cache_at(path, busy_timeout=30)
    await cache.start()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(cache.increment, "count")
            for _ in range(100):
                await anyio.lowlevel.checkpoint()
            # Reached only while the call waits in its thread.
            other.execute("ROLLBACK")
    other.close()
    assert await cache.get("count") == b"1"
    await cache.stop()


async def test_a_call_that_is_cancelled_keeps_its_turn_until_its_thread_has_ended(tmp_path):
    path = tmp_path / "cache"
    cache = cache_at(path, busy_timeout=30)
    await cache.start()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    first = asyncio.create_task(cache.increment("count"))
    with anyio.fail_after(60):
        for _ in range(1000):
            await asyncio.sleep(0)
        first.cancel()
        second = asyncio.create_task(cache.increment("count"))
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not first.done()
        other.execute("ROLLBACK")
        assert await second == 2
    assert first.cancelled()
    other.close()
    await cache.stop()


async def test_what_has_expired_leaves_the_file(tmp_path):
    path = tmp_path / "cache"
    cache = cache_at(path)
    await cache.start()
    for number in range(50):
        await cache.set(f"brief-{number}", b"1", ttl=0.001)
    with anyio.fail_after(60):
        while await cache.get("brief-49") is not None:
            pass
    for number in range(256):
        await cache.set("other", str(number).encode())
    await cache.stop()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT key FROM entries").fetchall() == [("other",)]
    database.close()


async def test_a_call_before_start_and_after_stop_says_so(tmp_path):
    cache = cache_at(tmp_path / "cache")
    with pytest.raises(ConnectorError, match="not open"):
        await cache.get("key")
    await cache.start()
    await cache.stop()
    with pytest.raises(ConnectorError, match="not open"):
        await cache.set("key", b"1")
