"""Collections arrive with every record; what is there already is left alone; what differs in the end is named."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from sre_core.builtin.memory_vectors import MemoryVectors, MemoryVectorsSettings
from sre_core.connectors import Metric, VectorConnector, VectorRecord
from sre_core.errors import ConfigError, UnavailableError, UnsupportedError
from sre_core.migration import Outcome, VectorsCopy
from tests.unit.sre_core.migration.ends import Diary, running

RECORDS = [
    VectorRecord(id=f"r{n}", vector=[n, 0.1, -1], metadata={"n": n, "yes": True, "ü": "ß"}, text=f"text {n}")
    for n in range(300)
]


async def started(kind: type[MemoryVectors] = MemoryVectors) -> MemoryVectors:
    connector = kind(MemoryVectorsSettings())
    await connector.start()
    return connector


@pytest.fixture
async def source() -> AsyncIterator[VectorConnector]:
    connector = await started()
    await connector.create("agent/a/docs", 3, metric=Metric.L2)
    await connector.upsert("agent/a/docs", RECORDS)
    await connector.create("agent/a/empty", 2)
    await connector.create("agent/b/docs", 1)
    await connector.upsert("agent/b/docs", [VectorRecord(id="x", vector=[1])])
    yield connector
    await connector.stop()


async def contents(vectors: VectorConnector, collection: str) -> dict[str, tuple[Any, ...]]:
    async with aclosing(vectors.scan(collection)) as records:
        return {one.id: (list(one.vector), dict(one.metadata), one.text) async for one in records}


def counts(report: Any) -> dict[str, int]:
    return {outcome.value: count for outcome, count in report.outcomes.items() if count}


class Counting(MemoryVectors):
    """Tells how many records it was given."""

    given = 0

    async def upsert(self, collection: str, records: Sequence[VectorRecord]) -> None:
        self.given += len(records)
        await super().upsert(collection, records)


async def test_all_collections_arrive_with_dimension_metric_and_records(source: VectorConnector) -> None:
    target, diary = await started(), Diary()
    copy = VectorsCopy(running(source), running(target), listener=diary)
    survey = await copy.survey()
    report = await copy.run()
    assert (survey.count, survey.size) == (3, 301)
    assert (counts(report), report.ok, diary.size) == ({"copied": 301}, True, 301)
    assert await target.collections("") == await source.collections("")
    assert await contents(target, "agent/a/docs") == await contents(source, "agent/a/docs")
    assert diary.of(Outcome.COPIED) == ["agent/a/docs", "agent/a/empty", "agent/b/docs"]


async def test_a_copy_goes_on_where_another_was_killed_and_mends_what_differs(source: VectorConnector) -> None:
    target = await started(Counting)
    await target.create("agent/a/docs", 3, metric=Metric.L2)
    await target.upsert("agent/a/docs", RECORDS[:200])
    await target.upsert("agent/a/docs", [VectorRecord(id="r7", vector=[7, 0.1, -1], text="other")])
    target.given = 0
    report = await VectorsCopy(running(source), running(target)).run()
    assert (counts(report), target.given) == ({"copied": 102, "same": 199}, 102)
    again = await VectorsCopy(running(source), running(target)).run()
    assert (counts(again), target.given) == ({"same": 301}, 102)


async def test_records_that_only_the_target_has_stay(source: VectorConnector) -> None:
    target = await started()
    await target.create("agent/b/docs", 1)
    await target.upsert("agent/b/docs", [VectorRecord(id="mine", vector=[2])])
    assert (await VectorsCopy(running(source), running(target)).run()).ok
    assert sorted(await contents(target, "agent/b/docs")) == ["mine", "x"]


async def test_a_dry_run_says_the_same_and_writes_nothing(source: VectorConnector) -> None:
    target = await started(Counting)
    await target.create("agent/b/docs", 1)
    report = await VectorsCopy(running(source), running(target)).run(write=False)
    assert (counts(report), target.given) == ({"copied": 301}, 0)
    assert [info.name for info in await target.collections("")] == ["agent/b/docs"]


async def test_a_prefix_means_the_collections_there_and_below(source: VectorConnector) -> None:
    target = await started()
    await VectorsCopy(running(source), running(target), prefix="agent/a").run()
    assert [info.name for info in await target.collections("")] == ["agent/a/docs", "agent/a/empty"]


async def test_a_collection_of_another_make_is_a_difference_and_stops_no_other(source: VectorConnector) -> None:
    target = await started()
    await target.create("agent/a/docs", 3, metric=Metric.COSINE)
    report = await VectorsCopy(running(source), running(target)).run()
    (difference,) = report.differences
    assert difference.name == "agent/a/docs"
    assert "dimension 3 and metric cosine, the source with 3 and l2" in difference.why
    assert counts(report) == {"copied": 1}


class Forgetful(MemoryVectors):
    """Keeps no record that is called r7, and another text of r8."""

    async def upsert(self, collection: str, records: Sequence[VectorRecord]) -> None:
        kept = [
            VectorRecord(id=one.id, vector=one.vector, metadata=one.metadata, text="?" if one.id == "r8" else one.text)
            for one in records
            if one.id != "r7"
        ]
        await super().upsert(collection, kept)


async def test_what_is_not_the_same_in_the_end_is_named(source: VectorConnector) -> None:
    report = await VectorsCopy(running(source), running(await started(Forgetful))).run()
    assert not report.ok
    assert [one.name for one in report.differences] == ["agent/a/docs: r7", "agent/a/docs: r8"]


class Mute(MemoryVectors):
    """Cannot give its records back."""

    capabilities = frozenset()

    def scan(self, collection: str) -> Any:
        raise self.unsupported("scan")


class ForgetfulMute(Mute, Forgetful):
    """Neither."""


async def test_of_a_target_that_gives_nothing_back_records_are_counted(source: VectorConnector) -> None:
    report = await VectorsCopy(running(source), running(await started(Mute))).run()
    assert report.ok
    assert report.notes == ["'memory' cannot give its records back, so they were counted and not compared"]
    report = await VectorsCopy(running(source), running(await started(ForgetfulMute))).run()
    assert [one.why for one in report.differences] == ["it has 299 records there, and 300 here"]


class Losing(Mute):
    """Loses whole collections as soon as they have records."""

    async def upsert(self, collection: str, records: Sequence[VectorRecord]) -> None:
        await self.drop(collection)


async def test_a_collection_that_is_lost_in_the_target_is_a_difference(
    source: VectorConnector,
) -> None:
    report = await VectorsCopy(running(source), running(await started(Losing)), prefix="agent/b", jobs=1).run()
    assert [(one.name, one.why) for one in report.differences] == [
        ("agent/b/docs", "it has 0 records there, and 1 here")
    ]


async def test_a_source_that_gives_nothing_back_cannot_be_copied() -> None:
    with pytest.raises(UnsupportedError, match="cannot give its records back"):
        await VectorsCopy(running(await started(Mute)), running(await started())).run()


class Failing(MemoryVectors):
    error: Exception

    async def upsert(self, collection: str, records: Sequence[VectorRecord]) -> None:
        raise self.error


async def test_a_refused_batch_is_a_difference_and_a_target_that_is_gone_ends_the_copy(
    source: VectorConnector,
) -> None:
    target = await started(Failing)
    target.error = ConfigError("too large")
    report = await VectorsCopy(running(source), running(target), prefix="agent/a").run()
    assert [(one.name, one.why) for one in report.differences] == [("agent/a/docs", "too large")]
    target.error = UnavailableError("gone", retry_after=0.0)
    with pytest.raises(UnavailableError):
        await VectorsCopy(running(source), running(target), prefix="agent/b").run()
