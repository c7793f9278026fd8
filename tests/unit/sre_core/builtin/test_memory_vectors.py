"""MemoryVectors keeps the rules of a vector database, exactly, and agrees with a slow reference."""

import asyncio
import math
import random
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sre_core.builtin.memory_vectors import MemoryVectors, MemoryVectorsSettings
from sre_core.connectors.vectors import Comparison, Condition, Metric, VectorRecord
from sre_core.errors import ConfigError, NotFoundError, UnavailableError
from sre_core.testing.conformance.vectors import VectorConformance


class TestInMemory(VectorConformance):
    def make(self):
        return MemoryVectors(MemoryVectorsSettings())


class TestOnDisk(VectorConformance):
    def make(self):
        return MemoryVectors(MemoryVectorsSettings(folder=self.folder / "vectors", sync=False))

    def make_broken(self):
        (self.folder / "a-file").write_bytes(b"")
        return MemoryVectors(MemoryVectorsSettings(folder=self.folder / "a-file"))


@pytest.fixture
async def vectors():
    connector = MemoryVectors(MemoryVectorsSettings())
    await connector.start()
    yield connector
    await connector.stop()


VALUES = st.sampled_from([0, 1, 2.5, -3, True, False, "a", "b", ""])
VECTORS = st.lists(st.integers(-3, 3), min_size=3, max_size=3)
RECORDS = st.builds(
    VectorRecord,
    id=st.sampled_from([f"r{n}" for n in range(40)]),
    vector=VECTORS,
    metadata=st.dictionaries(st.sampled_from("xyz"), VALUES, max_size=3),
)
SINGLE = set(Comparison) - {Comparison.IN, Comparison.NIN}
CONDITIONS = st.one_of(
    st.builds(Condition, st.sampled_from("xyz"), st.sampled_from(sorted(SINGLE)), VALUES),
    st.builds(
        Condition,
        st.sampled_from("xyz"),
        st.sampled_from([Comparison.IN, Comparison.NIN]),
        st.lists(VALUES, max_size=3).map(tuple),
    ),
)
STEPS = st.one_of(
    st.tuples(st.just("upsert"), st.lists(RECORDS, max_size=20)),
    st.tuples(st.just("delete"), st.lists(st.sampled_from([f"r{n}" for n in range(40)]), max_size=5)),
    st.tuples(st.just("delete where"), st.lists(CONDITIONS, min_size=1, max_size=2)),
    st.tuples(st.just("query"), st.tuples(VECTORS, st.integers(1, 12), st.lists(CONDITIONS, max_size=2))),
)


@settings(max_examples=150, deadline=None)
@given(metric=st.sampled_from(Metric), steps=st.lists(STEPS, min_size=3, max_size=12))
def test_it_agrees_with_a_slow_reference(metric, steps):
    asyncio.run(compare(metric, steps))


async def compare(metric, steps):
    connector, kept = MemoryVectors(MemoryVectorsSettings()), {}
    await connector.start()
    await connector.create("c", 3, metric=metric)
    for step, value in steps:
        if step == "upsert":
            await connector.upsert("c", value)
            kept |= {record.id: record for record in value}
        elif step == "query":
            vector, k, where = value
            found = [(match.id, match.score) for match in await connector.query("c", vector, k=k, where=where)]
            assert found == nearest(kept.values(), metric, vector, k, where)
        else:
            gone = [key for key in kept if key in value or (step != "delete" and meets(kept[key], value))]
            arguments = {"ids": value} if step == "delete" else {"where": value}
            assert await connector.delete("c", **arguments) == len(gone)
            kept = {key: record for key, record in kept.items() if key not in gone}
    assert (await connector.collections("c"))[0].count == len(kept)
    await connector.stop()


def nearest(records, metric, vector, k, where):
    scores = [(-score(metric, r.vector, vector), r.id) for r in records if meets(r, where)]
    return [(key, -negative) for negative, key in sorted(scores)[:k]]


def score(metric, left, right):
    product = sum(a * b for a, b in zip(left, right, strict=True))
    lengths = math.hypot(*left) * math.hypot(*right)
    exact = {
        Metric.DOT: product,
        Metric.L2: -math.dist(left, right),
        Metric.COSINE: product / lengths if lengths else 0,
    }
    return struct.unpack("f", struct.pack("f", exact[metric]))[0]


def meets(record, where):
    return all(holds(record.metadata, condition) for condition in where)


def kind(value):
    return "number" if type(value) in (int, float) else type(value).__name__


def holds(metadata, condition):
    name, comparison, wanted = condition.field, condition.comparison, condition.value
    if name not in metadata:
        return comparison in (Comparison.NE, Comparison.NIN)
    found = metadata[name]
    if comparison in (Comparison.IN, Comparison.NIN):
        return any(kind(found) == kind(v) and found == v for v in wanted) == (comparison is Comparison.IN)
    alike = kind(found) == kind(wanted)
    return {
        Comparison.EQ: lambda: alike and found == wanted,
        Comparison.NE: lambda: not alike or found != wanted,
        Comparison.GT: lambda: alike and found > wanted,
        Comparison.GTE: lambda: alike and found >= wanted,
        Comparison.LT: lambda: alike and found < wanted,
        Comparison.LTE: lambda: alike and found <= wanted,
    }[comparison]()


async def test_a_vector_of_zeros_has_the_cosine_score_zero(vectors):
    await vectors.create("c", 2)
    batch = [("null", [0, 0]), ("away", [-1, 0]), ("like", [1, 0])]
    await vectors.upsert("c", [VectorRecord(id=key, vector=vector) for key, vector in batch])
    found = [(match.id, match.score) for match in await vectors.query("c", [1, 0], k=3)]
    assert found == [("like", 1.0), ("null", 0.0), ("away", -1.0)]
    assert [(match.id, match.score) for match in await vectors.query("c", [0, 0], k=2)] == [("away", 0), ("like", 0)]


@pytest.mark.parametrize("vector", [["a", 1], [None, 1], "ab", [[1, 2], [3, 4]], [1e39, 0], [10**400, 0]])
async def test_what_float32_cannot_hold_is_refused(vectors, vector):
    await vectors.create("c", 2)
    with pytest.raises(ConfigError):
        await vectors.upsert("c", [VectorRecord(id="a", vector=vector)])
    with pytest.raises(ConfigError):
        await vectors.query("c", vector, k=1)


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, b"x"])
async def test_metadata_that_is_not_scalar_is_refused(vectors, value):
    await vectors.create("c", 2)
    records = [VectorRecord(id="good", vector=[1, 0]), VectorRecord(id="bad", vector=[1, 0], metadata={"m": value})]
    with pytest.raises(ConfigError, match=r"'m' of 'bad'"):
        await vectors.upsert("c", records)
    assert await vectors.query("c", [1, 0], k=2) == []


@pytest.mark.parametrize("k", [0, -1])
async def test_a_k_below_one_is_refused(vectors, k):
    await vectors.create("c", 2)
    with pytest.raises(ConfigError):
        await vectors.query("c", [1, 0], k=k)


@pytest.mark.parametrize("dimension", [0, -3])
async def test_a_dimension_below_one_is_refused(vectors, dimension):
    with pytest.raises(ConfigError):
        await vectors.create("c", dimension)


async def test_the_empty_prefix_lists_everything(vectors):
    await vectors.create("user/u/a", 2)
    await vectors.create("agent/b", 2)
    assert [info.name for info in await vectors.collections("")] == ["agent/b", "user/u/a"]


async def test_before_start_it_is_unavailable():
    with pytest.raises(UnavailableError, match="not started"):
        await MemoryVectors(MemoryVectorsSettings()).query("c", [1], k=1)


async def test_only_one_of_two_creations_at_once_wins(tmp_path):
    connector = MemoryVectors(MemoryVectorsSettings(folder=tmp_path))
    await connector.start()
    results = await asyncio.gather(*(connector.create("c", n + 1) for n in range(5)), return_exceptions=True)
    assert [result is None for result in results].count(True) == 1
    assert len(await connector.collections("")) == 1
    await connector.stop()


async def test_a_change_that_waited_for_a_drop_does_not_bring_the_collection_back(tmp_path):
    connector = MemoryVectors(MemoryVectorsSettings(folder=tmp_path))
    await connector.start()
    await connector.create("c", 1)
    dropping = asyncio.create_task(connector.drop("c"))
    await asyncio.sleep(0)
    changing = asyncio.create_task(connector.upsert("c", [VectorRecord(id="a", vector=[1])]))
    await dropping
    with pytest.raises(NotFoundError):
        await changing
    assert await connector.collections("") == []
    await connector.stop()


async def test_a_large_search_leaves_the_loop_free_and_sees_one_moment(vectors):
    dimension, count = 256, 6000
    source = random.Random(3)
    rows = [[source.gauss(0, 1) for _ in range(dimension)] for _ in range(30)]
    old = [VectorRecord(id=f"{n}", vector=rows[n % 30], text="old") for n in range(count)]
    await vectors.create("c", dimension)
    await vectors.upsert("c", old)
    where = [Condition("none", Comparison.NE, 1)]
    searching = asyncio.create_task(vectors.query("c", rows[0], k=50, where=where))
    await asyncio.sleep(0)
    assert not searching.done()
    changed = [VectorRecord(id=record.id, vector=rows[1], text="new") for record in old[:100]]
    for _ in range(5):
        await vectors.upsert("c", changed)
        await vectors.delete("c", ids=[record.id for record in changed])
    found = await searching
    assert {match.text for match in found} == {"old"}
    assert [match.id for match in found] == sorted(str(n) for n in range(0, count, 30))[:50]
    assert len(await vectors.query("c", rows[0], k=count)) == count - 100


async def test_a_scan_goes_on_while_the_collection_changes(vectors):
    await vectors.create("c", 1)
    await vectors.upsert("c", [VectorRecord(id=str(n), vector=[n]) for n in range(300)])
    seen = []
    async for record in vectors.scan("c"):
        seen.append(record.id)
        if len(seen) == 1:
            await vectors.delete("c", ids=["299"])
            await vectors.upsert("c", [VectorRecord(id="new", vector=[1]), VectorRecord(id="298", vector=[-1])])
    assert seen == [str(n) for n in range(299)]
    assert record.vector == [-1]


async def test_a_scanned_record_does_not_follow_the_collection(vectors):
    await vectors.create("c", 1)
    await vectors.upsert("c", [VectorRecord(id="a", vector=[1], metadata={"n": 1})])
    (record,) = [record async for record in vectors.scan("c")]
    record.metadata["n"] = 2
    await vectors.upsert("c", [VectorRecord(id="b", vector=[2])])
    assert [found.metadata async for found in vectors.scan("c")] == [{"n": 1}, {}]
