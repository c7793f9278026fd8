"""The rules of VectorConnector, as tests that any vector database can run."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import pytest

from sre_core.connectors.base import Connector
from sre_core.connectors.vectors import (
    CollectionInfo,
    Comparison,
    Condition,
    Match,
    Metric,
    Scalar,
    VectorConnector,
    VectorRecord,
    parse_where,
)
from sre_core.errors import ConfigError, ConflictError, NotFoundError
from sre_core.testing.conformance.vector_cases import BAD_NAMES, BAD_VECTORS, FILTERS, KINDS, PEOPLE, true_score
from sre_core.testing.conformance.vector_scans import VectorScans

__all__ = ["VectorConformance"]


class VectorConformance(VectorScans):
    """Subclass it with `make`, as LifecycleConformance tells.

    Names of collections are random, so a shared server can be used. Every change must show in the next call:
    a connector of an eventually consistent server waits until it does.
    """

    # Collections

    def test_it_is_a_vector_connector(self) -> None:
        """It derives from VectorConnector."""
        made: Connector = self.make()
        assert isinstance(made, VectorConnector)

    @pytest.mark.parametrize("metric", list(Metric))
    async def test_a_new_collection_tells_what_it_was_made_for(self, vectors: VectorConnector, metric: Metric) -> None:
        """`collections` shows its dimension and metric, and no records."""
        await vectors.create(self.name(), 3, metric=metric)
        expected = CollectionInfo(name=self.name(), dimension=3, metric=metric, count=0)
        assert await vectors.collections(self.name()) == [expected]

    async def test_creating_a_collection_twice_is_a_conflict(self, vectors: VectorConnector) -> None:
        """It raises ConflictError, also for another dimension or metric, and the records stay."""
        await self._fill(vectors, a=[1, 0])
        for dimension, metric in ((2, Metric.COSINE), (3, Metric.COSINE), (2, Metric.L2)):
            with pytest.raises(ConflictError):
                await vectors.create(self.name(), dimension, metric=metric)
        assert await self._ids(vectors) == ["a"]

    async def test_a_dropped_collection_is_gone_with_its_records(self, vectors: VectorConnector) -> None:
        """Made again, with another dimension, it is empty; its neighbours in name stay."""
        for name in ("notes", "notes/below", "notes2"):
            await self._fill(vectors, name, a=[1, 0])
        await vectors.drop(self.name())
        assert [info.name for info in await vectors.collections(self._home)] == [
            self.name("notes/below"),
            self.name("notes2"),
        ]
        await vectors.create(self.name(), 3)
        assert await vectors.query(self.name(), [1, 0, 0], k=5) == []

    async def test_dropping_a_missing_collection_is_no_error(self, vectors: VectorConnector) -> None:
        """`drop` of what is not there returns."""
        await vectors.drop(self.name("missing"))

    async def test_collections_are_listed_by_segments_in_order_of_name(self, vectors: VectorConnector) -> None:
        """A prefix finds what lies below it, and itself, but not a longer name beside it."""
        for name in ("b/x", "a", "b2", "b", "b/x/y", "B"):
            await vectors.create(self.name(name), 2)
        found = [info.name for info in await vectors.collections(self.name("b"))]
        assert found == [self.name("b"), self.name("b/x"), self.name("b/x/y")]
        everything = [info.name for info in await vectors.collections(self._home)]
        assert everything == sorted(self.name(name) for name in ("B", "a", "b", "b/x", "b/x/y", "b2"))
        assert await vectors.collections(self.name("missing")) == []

    async def test_collections_tell_how_many_records_they_have(self, vectors: VectorConnector) -> None:
        """The count follows upserts, replacements and deletions at once."""
        await self._fill(vectors, a=[1, 0], b=[0, 1])
        assert await self._count(vectors) == 2
        await self._put(vectors, a=[0, 1], c=[1, 1])
        assert await self._count(vectors) == 3
        await vectors.delete(self.name(), ids=["b"])
        assert await self._count(vectors) == 2

    async def test_a_missing_collection_is_not_found(self, vectors: VectorConnector) -> None:
        """`upsert`, `query` and `delete` raise NotFoundError."""
        record = VectorRecord(id="a", vector=[1.0, 0.0])
        with pytest.raises(NotFoundError):
            await vectors.upsert(self.name("missing"), [record])
        with pytest.raises(NotFoundError):
            await vectors.query(self.name("missing"), [1.0, 0.0], k=1)
        with pytest.raises(NotFoundError):
            await vectors.delete(self.name("missing"), ids=["a"])

    async def test_collections_do_not_share_records(self, vectors: VectorConnector) -> None:
        """The same id in two collections is two records."""
        await self._fill(vectors, "one", a=[1, 0])
        await self._fill(vectors, "two", a=[0, 1])
        await vectors.delete(self.name("one"), ids=["a"])
        assert await self._ids(vectors, "two") == ["a"]

    # Records

    async def test_a_record_comes_back_as_it_was_kept(self, vectors: VectorConnector) -> None:
        """Id, text and metadata, with the types of its values."""
        metadata: dict[str, Scalar] = {"word": "Grüße 世界", "whole": 7, "part": 0.5, "yes": True, "none": ""}
        record = VectorRecord(id="a/ü 1", vector=[1.0, 0.0], metadata=metadata, text='two\nlines, "quoted"')
        await vectors.create(self.name(), 2)
        await vectors.upsert(self.name(), [record])
        (found,) = await vectors.query(self.name(), [1.0, 0.0], k=1)
        assert (found.id, dict(found.metadata), found.text) == (record.id, metadata, record.text)
        assert {name: type(value) for name, value in found.metadata.items()} == {
            name: type(value) for name, value in metadata.items()
        }

    async def test_what_is_kept_does_not_follow_the_callers_objects(self, vectors: VectorConnector) -> None:
        """A caller may change its lists and dicts after the call."""
        vector, metadata = [1.0, 0.0], {"n": 1}
        await vectors.create(self.name(), 2)
        await vectors.upsert(self.name(), [VectorRecord(id="a", vector=vector, metadata=metadata)])
        vector[0], metadata["n"] = -1.0, 2
        (found,) = await vectors.query(self.name(), [1.0, 0.0], k=1)
        assert found.score > 0
        assert found.metadata == {"n": 1}

    async def test_upsert_replaces_the_record_of_the_same_id(self, vectors: VectorConnector) -> None:
        """Vector, metadata and text are all new, nothing is merged."""
        await vectors.create(self.name(), 2)
        await vectors.upsert(self.name(), [VectorRecord(id="a", vector=[1, 0], metadata={"old": 1}, text="old")])
        await vectors.upsert(self.name(), [VectorRecord(id="a", vector=[0, 1], metadata={"new": 2})])
        (found,) = await vectors.query(self.name(), [0, 1], k=5)
        assert found.score == pytest.approx(1.0, rel=self.tolerance)
        assert (found.metadata, found.text) == ({"new": 2}, "")

    async def test_the_last_record_of_an_id_in_a_batch_stays(self, vectors: VectorConnector) -> None:
        """When a batch has an id twice, there is one record afterwards."""
        await vectors.create(self.name(), 2)
        batch = [VectorRecord(id=key, vector=[1, 0], text=text) for key, text in (("a", "1"), ("b", "2"), ("a", "3"))]
        await vectors.upsert(self.name(), batch)
        found = {match.id: match.text for match in await vectors.query(self.name(), [1, 0], k=5)}
        assert found == {"a": "3", "b": "2"}
        assert await self._count(vectors) == 2

    async def test_an_empty_batch_changes_nothing(self, vectors: VectorConnector) -> None:
        """`upsert` of no records returns."""
        await self._fill(vectors, a=[1, 0])
        await vectors.upsert(self.name(), [])
        assert await self._ids(vectors) == ["a"]

    @pytest.mark.parametrize("bad", BAD_VECTORS, ids=BAD_NAMES)
    async def test_of_a_batch_with_a_bad_vector_nothing_is_kept(
        self, vectors: VectorConnector, bad: list[float]
    ) -> None:
        """A wrong dimension, NaN and infinite values raise ConfigError, wherever in the batch they are."""
        await self._fill(vectors, old=[1, 0])
        good = [VectorRecord(id="old", vector=[0, 1], text="changed"), VectorRecord(id="new", vector=[0, 1])]
        for place in range(3):
            batch = [*good[:place], VectorRecord(id="bad", vector=bad), *good[place:]]
            with pytest.raises(ConfigError):
                await vectors.upsert(self.name(), batch)
        found = await vectors.query(self.name(), [1, 0], k=5)
        assert [(match.id, match.text) for match in found] == [("old", "")]

    async def test_upserts_at_once_lose_no_record(self, vectors: VectorConnector) -> None:
        """Twenty batches at once are all kept."""
        await vectors.create(self.name(), 2)
        batches = [[VectorRecord(id=f"{n}-{i}", vector=[n + 1, i]) for i in range(5)] for n in range(20)]
        async with asyncio.timeout(self.patience):
            await asyncio.gather(*(vectors.upsert(self.name(), batch) for batch in batches))
        assert len(await vectors.query(self.name(), [1, 1], k=200)) == 100

    # Queries

    async def test_the_nearest_come_first_and_no_more_than_k(self, vectors: VectorConnector) -> None:
        """`k` cuts the list at its far end."""
        await self._fill(vectors, east=[1, 0], north=[0, 1], near=[5, 1], west=[-1, 0])
        assert await self._ids(vectors, k=2) == ["east", "near"]

    async def test_a_k_beyond_the_collection_gives_all_records(self, vectors: VectorConnector) -> None:
        """Fewer records than asked for is no error, none neither."""
        await vectors.create(self.name(), 2)
        assert await self._ids(vectors) == []
        await self._put(vectors, a=[1, 0], b=[0, 1])
        assert await self._ids(vectors, k=1000) == ["a", "b"]

    @pytest.mark.parametrize("metric", list(Metric))
    async def test_scores_are_those_of_the_metric(self, vectors: VectorConnector, metric: Metric) -> None:
        """Cosine and inner product as they are, the Euclidean distance negative: more is always nearer."""
        await vectors.create(self.name(), 2, metric=metric)
        await self._put(vectors, a=[3, 4], b=[-6, 8], c=[1, 0])
        found = {match.id: match.score for match in await vectors.query(self.name(), [2, 0], k=3)}
        expected = {
            Metric.COSINE: {"a": 0.6, "b": -0.6, "c": 1.0},
            Metric.DOT: {"a": 6.0, "b": -12.0, "c": 2.0},
            Metric.L2: {"a": -(17**0.5), "b": -(128**0.5), "c": -1.0},
        }[metric]
        assert found == pytest.approx(expected, rel=self.tolerance)

    @pytest.mark.parametrize("metric", list(Metric))
    async def test_the_search_is_exact(self, vectors: VectorConnector, metric: Metric) -> None:
        """Of 300 records, the ten best are the ten best."""
        source = random.Random(7)  # noqa: S311 -- test data
        points = {f"p{n:03}": [source.gauss(0, 1) for _ in range(8)] for n in range(301)}
        query = points.pop("p300")
        await vectors.create(self.name(), 8, metric=metric)
        await vectors.upsert(self.name(), [VectorRecord(id=key, vector=point) for key, point in points.items()])
        best = sorted((true_score(metric, point, query) for point in points.values()), reverse=True)[:10]
        found = await vectors.query(self.name(), query, k=10)
        assert [match.score for match in found] == pytest.approx(best, rel=100 * self.tolerance)
        true = [true_score(metric, points[match.id], query) for match in found]
        assert true == pytest.approx(best, rel=100 * self.tolerance)

    async def test_equal_scores_come_in_order_of_id(self, vectors: VectorConnector) -> None:
        """Also where `k` cuts among them."""
        await vectors.create(self.name(), 2)
        await self._put(vectors, e=[1, 0], b=[1, 0], far=[0, 1], d=[1, 0], a=[1, 0])
        await self._put(vectors, c=[1, 0])
        assert await self._ids(vectors, k=6) == ["a", "b", "c", "d", "e", "far"]
        assert await self._ids(vectors, k=2) == ["a", "b"]

    @pytest.mark.parametrize("bad", BAD_VECTORS, ids=BAD_NAMES)
    async def test_a_bad_query_vector_is_refused(self, vectors: VectorConnector, bad: list[float]) -> None:
        """A wrong dimension, NaN and infinite values raise ConfigError."""
        await self._fill(vectors, a=[1, 0])
        with pytest.raises(ConfigError):
            await vectors.query(self.name(), bad, k=1)

    # Conditions

    @pytest.mark.parametrize(("field", "comparison", "value", "expected"), FILTERS)
    async def test_a_condition_selects_the_records_that_meet_it(
        self, vectors: VectorConnector, field: str, comparison: Comparison, value: Any, expected: str
    ) -> None:
        """A record without the field meets NE and NIN only."""
        assert await self._select(vectors, Condition(field, comparison, value)) == expected.split()

    @pytest.mark.parametrize(("field", "comparison", "value", "expected"), KINDS)
    async def test_values_of_different_kinds_are_unequal_and_without_order(
        self, vectors: VectorConnector, field: str, comparison: Comparison, value: Any, expected: str
    ) -> None:
        """Text, numbers and booleans do not mix, and comparing them is no error."""
        assert await self._select(vectors, Condition(field, comparison, value)) == expected.split()

    async def test_all_conditions_must_hold(self, vectors: VectorConnector) -> None:
        """Several conditions, also on one field, are joined by "and"."""
        year = Condition("year", Comparison.GTE, 2020), Condition("year", Comparison.LT, 2021)
        assert await self._select(vectors, *year) == ["bob"]
        assert await self._select(vectors, *year, Condition("lang", Comparison.EQ, "de")) == []

    async def test_conditions_are_applied_before_the_k_nearest_are_taken(self, vectors: VectorConnector) -> None:
        """The nearest hundred do not meet the condition; those that do are found all the same."""
        await vectors.create(self.name(), 2)
        near = [VectorRecord(id=f"near{n}", vector=[1, 0], metadata={"far": False}) for n in range(100)]
        far = [VectorRecord(id=f"far{n}", vector=[n, 10], metadata={"far": True}) for n in range(5)]
        await vectors.upsert(self.name(), near + far)
        assert await self._ids(vectors, k=2, where=parse_where({"far": True})) == ["far4", "far3"]

    # Deletion

    async def test_delete_by_id_tells_how_many_there_were(self, vectors: VectorConnector) -> None:
        """Unknown ids, and an id that is named twice, do not count twice; the rest stays."""
        await self._fill(vectors, a=[1, 0], b=[1, 0], c=[1, 0])
        assert await vectors.delete(self.name(), ids=["a", "b", "a", "unknown"]) == 2
        assert await self._ids(vectors) == ["c"]
        assert await vectors.delete(self.name(), ids=["a"]) == 0

    async def test_delete_by_condition_tells_how_many_there_were(self, vectors: VectorConnector) -> None:
        """All conditions must hold; the rest stays."""
        await self._people(vectors)
        where = parse_where({"alive": True, "lang": "en"})
        assert await vectors.delete(self.name(), where=where) == 1
        assert sorted(await self._ids(vectors)) == ["ada", "cid", "dee"]
        assert await vectors.delete(self.name(), where=where) == 0

    async def test_a_deleted_id_can_be_kept_again(self, vectors: VectorConnector) -> None:
        """Nothing of the old record is left."""
        await vectors.create(self.name(), 2)
        await vectors.upsert(self.name(), [VectorRecord(id="a", vector=[1, 0], metadata={"old": 1}, text="old")])
        await vectors.delete(self.name(), ids=["a"])
        await self._put(vectors, a=[0, 1])
        (found,) = await vectors.query(self.name(), [0, 1], k=5)
        assert (found.metadata, found.text) == ({}, "")
        assert found.score == pytest.approx(1.0, rel=self.tolerance)

    async def _fill(self, vectors: VectorConnector, collection: str = "notes", **points: Sequence[float]) -> None:
        await vectors.create(self.name(collection), 2)
        await self._put(vectors, collection, **points)

    async def _put(self, vectors: VectorConnector, collection: str = "notes", **points: Sequence[float]) -> None:
        records = [VectorRecord(id=key, vector=point) for key, point in points.items()]
        await vectors.upsert(self.name(collection), records)

    async def _people(self, vectors: VectorConnector) -> None:
        await vectors.create(self.name(), 2)
        records = [VectorRecord(id=key, vector=[1, 0], metadata=metadata) for key, metadata in PEOPLE.items()]
        await vectors.upsert(self.name(), records)

    async def _select(self, vectors: VectorConnector, *where: Condition) -> list[str]:
        await self._people(vectors)
        try:
            return sorted(await self._ids(vectors, where=where))
        finally:
            await vectors.drop(self.name())

    async def _ids(
        self, vectors: VectorConnector, collection: str = "notes", *, k: int = 10, where: Sequence[Condition] = ()
    ) -> list[str]:
        found: list[Match] = await vectors.query(self.name(collection), [1, 0], k=k, where=where)
        return [match.id for match in found]

    async def _count(self, vectors: VectorConnector) -> int:
        (info,) = await vectors.collections(self.name())
        return info.count
