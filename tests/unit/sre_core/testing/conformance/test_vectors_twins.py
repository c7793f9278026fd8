"""Each rule of every vector database, and one that breaks it."""

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest

from sre_core.builtin.memory_vectors import MemoryVectors, MemoryVectorsSettings
from sre_core.connectors import Comparison, Condition, Connector, Metric, Service
from sre_core.errors import ConfigError, NotFoundError
from sre_core.testing.conformance.lifecycle import LifecycleConformance
from sre_core.testing.conformance.vectors import VectorConformance
from tests.unit.sre_core.testing.conformance.twins import failing

ALL = 10_000


class Kit(VectorConformance):
    patience = 5.0

    def make(self):
        return MemoryVectors(MemoryVectorsSettings())


# These have twins of their own, and would run again for each of ours.
for _name in vars(LifecycleConformance):
    if _name.startswith("test_"):
        setattr(Kit, _name, None)

RULES = {name for name in dir(Kit) if name.startswith("test_") and getattr(Kit, name) is not None}


class Duck(Connector):
    """Only looks like a vector database."""

    service = Service.VECTORS
    name = "duck"
    capabilities = MemoryVectors.capabilities

    def __init__(self, settings):
        super().__init__(settings)
        self._vectors = MemoryVectors(settings)
        self.start, self.stop = self._vectors.start, self._vectors.stop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vectors, name)


class ForgetsTheMetric(MemoryVectors):
    async def collections(self, prefix):
        return [replace(info, metric=Metric.COSINE) for info in await super().collections(prefix)]


class CreatesAgain(MemoryVectors):
    async def create(self, collection, dimension, *, metric=Metric.COSINE):
        if not [info for info in await self.collections(collection) if info.name == collection]:
            await super().create(collection, dimension, metric=metric)


class DropsWhatLiesBelow(MemoryVectors):
    async def drop(self, collection):
        for info in await self.collections(collection):
            await super().drop(info.name)


class DropsOnlyWhatIsThere(MemoryVectors):
    async def drop(self, collection):
        if not await self.collections(collection):
            raise NotFoundError(f"no collection {collection!r}")
        await super().drop(collection)


class ListsByText(MemoryVectors):
    async def collections(self, prefix):
        return [info for info in await super().collections("") if info.name.startswith(prefix)]


class NeverCountsDown(MemoryVectors):
    async def start(self):
        await super().start()
        self.most: dict[str, int] = {}

    async def collections(self, prefix):
        found = await super().collections(prefix)
        for info in found:
            self.most[info.name] = max(info.count, self.most.get(info.name, 0))
        return [replace(info, count=self.most[info.name]) for info in found]


class CreatesOnUpsert(MemoryVectors):
    async def upsert(self, collection, records):
        if records and not [info for info in await self.collections(collection) if info.name == collection]:
            await self.create(collection, len(records[0].vector))
        await super().upsert(collection, records)


class SharesRecords(MemoryVectors):
    async def delete(self, collection, *, ids=(), where=()):
        for info in await self.collections(""):
            if info.name != collection:
                await super().delete(info.name, ids=ids, where=where)
        return await super().delete(collection, ids=ids, where=where)


def numbers(metadata):
    return {name: 1 if value is True else value for name, value in metadata.items()}


class GivesBooleansAsNumbers(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        found = await super().query(collection, vector, k=k, where=where)
        return [
            replace(match, metadata={n: v + 0 if v is True else v for n, v in match.metadata.items()})
            for match in found
        ]


class KeepsTheCallersMetadata(MemoryVectors):
    async def start(self):
        await super().start()
        self.kept: dict[tuple[str, str], Any] = {}

    async def upsert(self, collection, records):
        await super().upsert(collection, records)
        self.kept |= {(collection, record.id): record.metadata for record in records}

    async def query(self, collection, vector, *, k, where=()):
        found = await super().query(collection, vector, k=k, where=where)
        return [replace(match, metadata=self.kept[collection, match.id]) for match in found]


class MergesMetadata(MemoryVectors):
    async def upsert(self, collection, records):
        (info,) = [info for info in await self.collections(collection) if info.name == collection] or [None]
        old = await self.query(collection, [0.0] * info.dimension, k=ALL) if info else []
        merged = {match.id: match.metadata for match in old}
        await super().upsert(collection, [replace(r, metadata={**merged.get(r.id, {}), **r.metadata}) for r in records])


class KeepsTheFirstOfABatch(MemoryVectors):
    async def upsert(self, collection, records):
        first = {record.id: record for record in reversed(records)}
        await super().upsert(collection, list(first.values()))


class RefusesEmptyBatches(MemoryVectors):
    async def upsert(self, collection, records):
        if not records:
            raise ConfigError("no records")
        await super().upsert(collection, records)


class KeepsWhatComesBeforeTheBad(MemoryVectors):
    async def upsert(self, collection, records):
        for record in records:
            await super().upsert(collection, [record])
        await super().upsert(collection, [])


class TakesOneBatchAtATime(MemoryVectors):
    busy = False

    async def upsert(self, collection, records):
        if not self.busy:
            self.busy = True
            await asyncio.sleep(0)
            self.busy = False
            await super().upsert(collection, records)


class TurnsPairsAround(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        found = await super().query(collection, vector, k=k, where=where)
        around = k == 2 and not where and len({match.score for match in found}) == 2
        return found[::-1] if around else found


class RefusesALargeK(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        if k > 500:
            raise ConfigError("k is too large")
        return await super().query(collection, vector, k=k, where=where)


class HasNoNegativeLikeness(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        found = await super().query(collection, vector, k=k, where=where)
        if (await self.collections(collection))[0].metric is Metric.L2:
            return found
        return [replace(match, score=max(match.score, 0.0)) for match in found]


class GuessesInLargeCollections(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        found = await super().query(collection, vector, k=k + 1, where=where)
        large = (await self.collections(collection))[0].count > 250
        return found[1:] if large else found[:k]


class OrdersTiesBackwards(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        found = await super().query(collection, vector, k=ALL, where=where)
        return sorted(found, key=lambda match: (match.score, match.id), reverse=True)[:k]


class MendsQueries(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        dimension = (await self._info(collection)).dimension
        mended = [value if math.isfinite(value) else 0.0 for value in vector] + [0.0] * dimension
        return await super().query(collection, mended[:dimension], k=k, where=where)

    async def _info(self, collection):
        for info in await self.collections(collection):
            return info
        raise NotFoundError(f"no collection {collection!r}")


class TakesLteForLt(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        changed = [replace(c, comparison=Comparison.LT) if c.comparison is Comparison.LTE else c for c in where]
        return await super().query(collection, vector, k=k, where=changed)


def one(condition):
    return Condition(condition.field, Comparison.EQ, 1) if type(condition.value) is int else None


class TakesTrueForOne(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        changed = [replace(c, comparison=Comparison.IN, value=(1, True)) if c == one(c) else c for c in where]
        return await super().query(collection, vector, k=k, where=changed)


class ReadsOneCondition(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        return await super().query(collection, vector, k=k, where=where[:1])


class FiltersAfterwards(MemoryVectors):
    async def query(self, collection, vector, *, k, where=()):
        found = await super().query(collection, vector, k=k)
        right = {match.id for match in await super().query(collection, vector, k=ALL, where=where)}
        return [match for match in found if match.id in right]


class CountsUnknownIds(MemoryVectors):
    async def delete(self, collection, *, ids=(), where=()):
        return max(await super().delete(collection, ids=ids, where=where), len(ids))


class DeletesOnAnyCondition(MemoryVectors):
    async def delete(self, collection, *, ids=(), where=()):
        deleted = sum([await super(DeletesOnAnyCondition, self).delete(collection, where=[c]) for c in where])
        return deleted or await super().delete(collection, ids=ids, where=where)


class KeepsTombstones(MemoryVectors):
    async def start(self):
        await super().start()
        self.buried: set[str] = set()

    async def delete(self, collection, *, ids=(), where=()):
        self.buried |= set(ids)
        return await super().delete(collection, ids=ids, where=where)

    async def upsert(self, collection, records):
        await super().upsert(collection, [record for record in records if record.id not in self.buried])


class ScansWithoutSayingSo(MemoryVectors):
    capabilities = frozenset()


class ScansRoundedVectors(MemoryVectors):
    async def scan(self, collection):
        async for record in super().scan(collection):
            yield replace(record, vector=[float(f"{value:.7g}") for value in record.vector])


class ScansByPosition(MemoryVectors):
    async def scan(self, collection):
        for start in range(0, 2000, 128):
            number = 0
            async for record in super().scan(collection):
                if start <= number < start + 128:
                    yield record
                number += 1


class ScansTheFirstPage(MemoryVectors):
    async def scan(self, collection):
        number = 0
        async for record in super().scan(collection):
            number += 1
            if number <= 1000:
                yield record


class ScansWhatLiesBelow(MemoryVectors):
    async def scan(self, collection):
        async for record in super().scan(collection):
            yield record
        for info in (await self.collections(collection))[1:]:
            async for record in super().scan(info.name):
                yield record


class ScansWhatWasReplaced(MemoryVectors):
    async def start(self):
        await super().start()
        self.first: dict[tuple[str, str], Any] = {}

    async def upsert(self, collection, records):
        await super().upsert(collection, records)
        for record in records:
            self.first.setdefault((collection, record.id), record.text)

    async def scan(self, collection):
        async for record in super().scan(collection):
            yield replace(record, text=self.first[collection, record.id])


class ScansWhatIsNotThere(MemoryVectors):
    async def scan(self, collection):
        if any(info.name == collection for info in await self.collections(collection)):
            async for record in super().scan(collection):
                yield record


class KeepsScansOpen(MemoryVectors):
    busy = False

    async def scan(self, collection):
        if self.busy:
            raise ConfigError("another scan goes on")
        self.busy = True
        async for record in super().scan(collection):
            yield record
        self.busy = False


TWINS = {
    ScansWithoutSayingSo: "test_without_the_capability_scan_is_unsupported",
    Duck: "test_it_is_a_vector_connector",
    ForgetsTheMetric: "test_a_new_collection_tells_what_it_was_made_for",
    CreatesAgain: "test_creating_a_collection_twice_is_a_conflict",
    DropsWhatLiesBelow: "test_a_dropped_collection_is_gone_with_its_records",
    DropsOnlyWhatIsThere: "test_dropping_a_missing_collection_is_no_error",
    ListsByText: "test_collections_are_listed_by_segments_in_order_of_name",
    NeverCountsDown: "test_collections_tell_how_many_records_they_have",
    CreatesOnUpsert: "test_a_missing_collection_is_not_found",
    SharesRecords: "test_collections_do_not_share_records",
    GivesBooleansAsNumbers: "test_a_record_comes_back_as_it_was_kept",
    KeepsTheCallersMetadata: "test_what_is_kept_does_not_follow_the_callers_objects",
    MergesMetadata: "test_upsert_replaces_the_record_of_the_same_id",
    KeepsTheFirstOfABatch: "test_the_last_record_of_an_id_in_a_batch_stays",
    RefusesEmptyBatches: "test_an_empty_batch_changes_nothing",
    KeepsWhatComesBeforeTheBad: "test_of_a_batch_with_a_bad_vector_nothing_is_kept",
    TakesOneBatchAtATime: "test_upserts_at_once_lose_no_record",
    TurnsPairsAround: "test_the_nearest_come_first_and_no_more_than_k",
    RefusesALargeK: "test_a_k_beyond_the_collection_gives_all_records",
    HasNoNegativeLikeness: "test_scores_are_those_of_the_metric",
    GuessesInLargeCollections: "test_the_search_is_exact",
    OrdersTiesBackwards: "test_equal_scores_come_in_order_of_id",
    MendsQueries: "test_a_bad_query_vector_is_refused",
    TakesLteForLt: "test_a_condition_selects_the_records_that_meet_it",
    TakesTrueForOne: "test_values_of_different_kinds_are_unequal_and_without_order",
    ReadsOneCondition: "test_all_conditions_must_hold",
    FiltersAfterwards: "test_conditions_are_applied_before_the_k_nearest_are_taken",
    CountsUnknownIds: "test_delete_by_id_tells_how_many_there_were",
    DeletesOnAnyCondition: "test_delete_by_condition_tells_how_many_there_were",
    KeepsTombstones: "test_a_deleted_id_can_be_kept_again",
    ScansRoundedVectors: "test_a_scan_gives_records_as_they_were_kept",
    ScansByPosition: "test_a_scan_gives_no_record_twice_and_leaves_none_out_while_others_change",
    ScansTheFirstPage: "test_a_scan_gives_every_record_once",
    ScansWhatLiesBelow: "test_a_scan_gives_the_records_of_its_collection_alone",
    ScansWhatWasReplaced: "test_a_scan_shows_every_change_at_once",
    ScansWhatIsNotThere: "test_a_scan_of_a_missing_collection_is_not_found",
    KeepsScansOpen: "test_a_scan_that_is_left_early_leaves_it_usable",
}


def test_every_rule_has_a_twin():
    assert set(TWINS.values()) == RULES


def test_a_good_connector_breaks_no_rule():
    assert failing(Kit) == set()


@pytest.mark.parametrize("kind", TWINS, ids=lambda kind: kind.__name__)
def test_a_twin_breaks_its_rule_and_no_other(kind):
    broken = failing(Kit, lambda: kind(MemoryVectorsSettings()))
    assert {name.partition("[")[0] for name in broken} == {TWINS[kind]}
