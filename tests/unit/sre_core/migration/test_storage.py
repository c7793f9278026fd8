"""Objects arrive whole, with all that belongs to them; what is the same stays; what goes wrong is told."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sre_core.builtin.local_storage import LocalSettings, LocalStorage
from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import ObjectInfo, Settings, StorageConnector
from sre_core.errors import (
    ConfigError,
    ConnectorError,
    DeadlineError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
)
from sre_core.migration import Outcome, StorageCopy
from tests.unit.sre_core.migration.ends import Diary, end_of

BIG = bytes(range(256)) * 12_000


@pytest.fixture
async def source(tmp_path: Path) -> AsyncIterator[StorageConnector]:
    connector = LocalStorage(LocalSettings(folder=tmp_path / "source"))
    await connector.start()
    await connector.write("agent/a/one", b"1", content_type="text/plain", metadata={"Größe": "ü", "n": "1"})
    await connector.write("agent/a/empty", b"")
    await connector.write("agent/a/one/below", b"below")
    await connector.write("agent/b/big", BIG)
    await connector.write("acl/x.json", b"{}")
    yield connector
    await connector.stop()


@pytest.fixture
async def target(tmp_path: Path) -> AsyncIterator[StorageConnector]:
    connector = LocalStorage(LocalSettings(folder=tmp_path / "target"))
    await connector.start()
    yield connector
    await connector.stop()


async def contents(storage: StorageConnector) -> dict[str, tuple[Any, ...]]:
    found = [info async for info in storage.list("")]
    return {info.key: (await storage.read(info.key), info.content_type, dict(info.metadata)) for info in found}


def counts(report: Any) -> dict[str, int]:
    return {outcome.value: count for outcome, count in report.outcomes.items() if count}


@pytest.mark.parametrize("kind", [MemoryStorage, LocalStorage])
async def test_all_objects_arrive_with_content_type_and_metadata(
    source: StorageConnector, kind: type[StorageConnector], tmp_path: Path
) -> None:
    target = kind(Settings() if kind is MemoryStorage else LocalSettings(folder=tmp_path / "t"))
    diary = Diary()
    report = await StorageCopy(end_of(source), end_of(target, "t"), listener=diary).run()
    expected = await contents(source)
    del expected["acl/x.json"]
    assert await contents(target) == expected
    assert (counts(report), report.size, report.ok) == ({"copied": 4}, len(BIG) + 6, True)
    assert diary.of(Outcome.COPIED) == sorted(expected)
    assert diary.size == len(BIG) + 6


async def test_a_second_copy_changes_nothing_and_reads_all(source: StorageConnector, target: StorageConnector) -> None:
    await StorageCopy(end_of(source), end_of(target)).run()
    before = {info.key: info.version async for info in target.list("")}
    report = await StorageCopy(end_of(source), end_of(target)).run()
    assert counts(report) == {"same": 4}
    assert {info.key: info.version async for info in target.list("")} == before


async def test_what_differs_is_replaced_also_where_it_is_as_large(
    source: StorageConnector, target: StorageConnector
) -> None:
    await StorageCopy(end_of(source), end_of(target)).run()
    await target.write("agent/a/one/below", b"BELOW")
    await target.write("agent/b/big", BIG, metadata={"other": "metadata"})
    await target.write("agent/a/mine", b"stays")
    report = await StorageCopy(end_of(source), end_of(target)).run()
    assert counts(report) == {"replaced": 2, "same": 2}
    assert await target.read("agent/a/one/below") == b"below"
    assert (await target.stat("agent/b/big")).metadata == {}
    assert await target.read("agent/a/mine") == b"stays"


async def test_a_dry_run_says_the_same_and_writes_nothing(source: StorageConnector, target: StorageConnector) -> None:
    await target.write("agent/a/one/below", b"BELOW")
    await target.write("agent/a/empty", b"")
    diary = Diary()
    report = await StorageCopy(end_of(source), end_of(target), listener=diary).run(write=False)
    assert counts(report) == {"copied": 2, "replaced": 1, "same": 1}
    assert diary.of(Outcome.REPLACED) == ["agent/a/one/below"]
    assert sorted(await contents(target)) == ["agent/a/empty", "agent/a/one/below"]
    assert await target.read("agent/a/one/below") == b"BELOW"


@pytest.mark.parametrize(
    ("prefix", "keys"),
    [("agent/a", ["empty", "one", "one/below"]), ("agent/a/one", ["one", "one/below"]), ("agent/x", [])],
)
async def test_a_prefix_means_what_lies_there_and_below(
    source: StorageConnector, target: StorageConnector, prefix: str, keys: list[str]
) -> None:
    await source.write("agent/a/one2", b"not this one" if prefix.endswith("one") else b"")
    copy = StorageCopy(end_of(source), end_of(target), prefix=prefix)
    survey = await copy.survey()
    assert (await copy.run()).ok
    found = [key.removeprefix("agent/a/") for key in await contents(target)]
    expected = sorted([*keys, "one2"]) if prefix == "agent/a" else keys
    assert (sorted(found), survey.count) == (expected, len(expected))


async def test_an_expiry_is_handed_on_and_taken_back(source: StorageConnector, target: StorageConnector) -> None:
    await source.expire("agent/a/one", 3600)
    await StorageCopy(end_of(source), end_of(target)).run()
    expires = (await target.stat("agent/a/one")).expires
    assert expires == pytest.approx(time.time() + 3600, abs=5)
    await source.expire("agent/a/one", None)
    report = await StorageCopy(end_of(source), end_of(target)).run()
    assert counts(report) == {"same": 4}
    assert (await target.stat("agent/a/one")).expires is None


class Plain(MemoryStorage):
    """Takes no pieces, and keeps everything for ever."""

    capabilities = frozenset()


async def test_without_streams_objects_are_copied_whole(source: StorageConnector) -> None:
    report = await StorageCopy(end_of(source), end_of(target := Plain(Settings()))).run()
    assert report.ok
    back = await StorageCopy(end_of(target), end_of(MemoryStorage(Settings()))).run()
    assert (counts(back), back.ok) == ({"copied": 4}, True)


async def test_an_expiry_that_the_target_cannot_keep_is_a_difference(source: StorageConnector) -> None:
    await source.expire("agent/a/one", 3600)
    report = await StorageCopy(end_of(source), end_of(Plain(Settings()))).run()
    (difference,) = report.differences
    assert (difference.name, difference.why) == ("agent/a/one", "it expires, and the target lets nothing expire")


class Lossy(MemoryStorage):
    """Damages what it keeps, in the way that a test says."""

    damage = ""

    async def write_stream(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        info = await super().write_stream(key, chunks, content_type=content_type, metadata=metadata)
        if self.damage == "bytes" and info.size == 5:
            return await self.write(key, b"other")
        if self.damage == "type":
            return await self.write(key, await self.read(key), metadata=metadata)
        if self.damage == "lost" and key.endswith("below"):
            await self.delete(key)
        return info

    async def list(self, prefix: str) -> AsyncGenerator[ObjectInfo]:
        async for info in super().list(prefix):
            yield replace(info, size=0) if self.damage == "late" and info.key.endswith("big") else info


DAMAGES = {
    "bytes": ("agent/a/one/below", "it reads back with other bytes than were written"),
    "type": ("agent/a/one", "it was written, and has another content type now"),
    "lost": ("agent/a/one/below", "it is not there after it was written"),
    "late": ("agent/b/big", f"it has 0 bytes there, and {len(BIG)} here"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_does_not_come_out_the_same_is_a_difference(source: StorageConnector, damage: str) -> None:
    target = Lossy(Settings())
    target.damage = damage
    report = await StorageCopy(end_of(source), end_of(target)).run()
    assert not report.ok
    assert [(one.name, one.why) for one in report.differences] == [DAMAGES[damage]]


class Picky(MemoryStorage):
    """Refuses a key, and is out of order for a while."""

    failures: list[Exception]

    async def stat(self, key: str) -> ObjectInfo:
        if self.failures:
            raise self.failures.pop()
        if key.endswith("empty"):
            raise ConfigError(f"illegal key {key!r}")
        return await super().stat(key)


async def test_one_object_that_cannot_be_copied_stops_no_other(source: StorageConnector) -> None:
    target = Picky(Settings())
    target.failures = []
    report = await StorageCopy(end_of(source), end_of(target)).run()
    assert [(one.name, one.why) for one in report.differences] == [("agent/a/empty", "illegal key 'agent/a/empty'")]
    assert counts(report) == {"copied": 3}


async def test_what_may_pass_is_tried_again_after_the_pause_that_is_asked_for(source: StorageConnector) -> None:
    target = Picky(Settings())
    target.failures = [RateLimitedError("slow down", retry_after=0.0), UnavailableError("away", retry_after=0.0)]
    report = await StorageCopy(end_of(source), end_of(target), prefix="agent/b").run()
    assert counts(report) == {"copied": 1}


class Gone(MemoryStorage):
    """Its server is gone, or its bucket."""

    error: ConnectorError

    async def write_stream(self, key: str, chunks: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        raise self.error


async def test_a_target_that_is_gone_ends_the_copy(source: StorageConnector) -> None:
    target = Gone(Settings())
    target.error = UnavailableError("no server", retry_after=0.0)
    with pytest.raises(UnavailableError, match="no server"):
        await StorageCopy(end_of(source), end_of(target), prefix="agent/b").run()


class LateError(DeadlineError):
    """Too late, and to be tried again at once."""

    retry_after = 0.0


class Slowed(MemoryStorage):
    """Takes too long over one object, or over everything."""

    silent = False

    async def stat(self, key: str) -> ObjectInfo:
        if self.silent or key.endswith("big"):
            raise LateError("did not finish in time")
        return await super().stat(key)

    async def ping(self) -> None:
        if self.silent:
            raise LateError("did not finish in time")


async def test_one_object_that_takes_too_long_stops_no_other(source: StorageConnector) -> None:
    report = await StorageCopy(end_of(source), end_of(Slowed(Settings()))).run()
    assert [(one.name, one.why) for one in report.differences] == [("agent/b/big", "did not finish in time")]
    assert counts(report) == {"copied": 3}


async def test_an_end_that_says_nothing_any_more_ends_the_copy(source: StorageConnector) -> None:
    target = Slowed(Settings())
    target.silent = True
    with pytest.raises(DeadlineError):
        await StorageCopy(end_of(source), end_of(target)).run()


async def test_a_missing_bucket_is_not_taken_for_missing_objects(source: StorageConnector) -> None:
    target = Gone(Settings())
    target.error = NotFoundError("no such bucket 'notes'")
    report = await StorageCopy(end_of(source), end_of(target)).run()
    assert (counts(report), report.different) == ({}, 4)
    assert {one.why for one in report.differences} == {"no such bucket 'notes'"}


class Living(MemoryStorage):
    """Loses or changes objects while they are read."""

    async def read_stream(self, key: str) -> AsyncGenerator[bytes]:
        if key.endswith("leaves"):
            await self.delete(key)
        if key.endswith("grows"):
            await self.write(key, await self.read(key) + b"+")
        async for piece in super().read_stream(key):
            yield piece


async def test_what_vanishes_meanwhile_is_gone_and_what_never_rests_is_a_difference() -> None:
    source, target = Living(Settings()), MemoryStorage(Settings())
    await source.start()
    for name in ("leaves", "grows", "stays"):
        await source.write(f"agent/a/{name}", b"1")
    report = await StorageCopy(end_of(source), end_of(target)).run()
    assert counts(report) == {"copied": 1, "gone": 1}
    assert [(one.name, one.why) for one in report.differences] == [
        ("agent/a/grows", "'agent/a/grows' changes while it is copied")
    ]


class Slow(MemoryStorage):
    """Counts how many are written at once."""

    now = most = 0

    async def write_stream(self, key: str, chunks: AsyncIterable[bytes], **options: Any) -> ObjectInfo:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        try:
            return await super().write_stream(key, chunks, **options)
        finally:
            self.now -= 1


@pytest.mark.parametrize("jobs", [1, 3])
async def test_as_many_are_on_their_way_at_once_as_was_asked_for(jobs: int) -> None:
    source, target = MemoryStorage(Settings()), Slow(Settings())
    await source.start()
    for number in range(20):
        await source.write(f"agent/a/{number}", b"x")
    assert (await StorageCopy(end_of(source), end_of(target), jobs=jobs).run()).ok
    assert target.most == jobs


async def test_a_cancelled_copy_leaves_nothing_half_written(source: StorageConnector) -> None:
    target = MemoryStorage(Settings())
    reached = asyncio.Event()

    class Hangs(LocalStorage):
        async def read_stream(self, key: str) -> AsyncGenerator[bytes]:
            yield b"half"
            reached.set()
            await asyncio.Event().wait()

    hangs = Hangs(source.settings)
    task = asyncio.create_task(StorageCopy(end_of(hangs), end_of(target)).run())
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await contents(target) == {}
