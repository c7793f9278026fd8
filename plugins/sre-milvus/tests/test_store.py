"""Sizes, cuts and ties: what takes more than one call, and what is refused before the first."""

import random

import pytest

from sre_core.connectors.vectors import Comparison, Condition, Metric, VectorRecord, parse_where
from sre_core.errors import ConfigError, NotFoundError
from sre_milvus import MilvusSettings, MilvusVectors

from .misbehaving import engine  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOTES = "agent/a/notes"


@pytest.fixture(params=["collections", "partitions"])
async def counted(request, tmp_path):
    """A connector, and the calls that it makes."""
    with engine(tmp_path / "data") as (port, door):
        connector = MilvusVectors(
            MilvusSettings(
                uri=f"http://127.0.0.1:{port}", index="FLAT", layout=request.param, batch_bytes=1 << 16, retries=0
            )
        )
        await connector.start()
        try:
            yield connector, door
        finally:
            await connector.stop()


async def count(connector: MilvusVectors) -> int:
    (info,) = await connector.collections(NOTES)
    return info.count


async def test_a_large_batch_is_sent_in_parts(counted):
    connector, door = counted
    await connector.create(NOTES, 64)
    door.calls.clear()
    records = [VectorRecord(id=f"r{n:04}", vector=[n] + [1] * 63, text="x" * 100) for n in range(1000)]
    await connector.upsert(NOTES, records)
    assert 5 <= door.calls.count("Upsert") <= 12
    assert await count(connector) == 1000


async def test_a_heavy_batch_does_not_hold_up_the_event_loop(counted):
    """It is prepared in a thread, and checked as a whole all the same."""
    connector, door = counted
    await connector.create(NOTES, 512)
    records = [VectorRecord(id=f"r{n}", vector=[float(n)] + [1.0] * 511) for n in range(300)]
    await connector.upsert(NOTES, records)
    assert await count(connector) == 300
    door.calls.clear()
    with pytest.raises(ConfigError, match="'bad'"):
        await connector.upsert(NOTES, [*records, VectorRecord(id="bad", vector=[float("nan")] * 512)])
    assert "Upsert" not in door.calls


async def test_a_record_that_is_larger_than_a_part_is_sent_alone(counted):
    connector, door = counted
    await connector.create(NOTES, 2)
    door.calls.clear()
    await connector.upsert(NOTES, [VectorRecord(id=f"r{n}", vector=[1, 0], text="x" * 65_535) for n in range(3)])
    assert door.calls.count("Upsert") == 3
    assert {len(match.text) for match in await connector.query(NOTES, [1, 0], k=3)} == {65_535}


@pytest.mark.parametrize(
    "record",
    [
        VectorRecord(id="long", vector=[1, 0], text="é" * 32_768),
        VectorRecord(id="x" * 65_536, vector=[1, 0]),
        VectorRecord(id="much", vector=[1, 0], metadata={"text": "x" * 65_536}),
        VectorRecord(id="wide", vector=[1, 0], metadata={"n": 2**64}),
        VectorRecord(id="odd", vector=[1, 0], metadata={"n": None}),
        VectorRecord(id="\ud800", vector=[1, 0]),
        VectorRecord(id="text", vector=[1, 0], text="\ud800"),
    ],
    ids=["text", "id", "metadata", "number", "none", "surrogate-id", "surrogate-text"],
)
async def test_what_milvus_cannot_keep_is_refused_and_nothing_of_its_batch_sent(counted, record):
    connector, door = counted
    await connector.create(NOTES, 2)
    door.calls.clear()
    with pytest.raises(ConfigError) as refused:
        await connector.upsert(NOTES, [VectorRecord(id="good", vector=[1, 0]), record])
    assert len(str(refused.value)) < 400
    assert "Upsert" not in door.calls
    assert await count(connector) == 0


async def test_a_query_is_one_call(counted):
    connector, door = counted
    await connector.create(NOTES, 2)
    await connector.upsert(NOTES, [VectorRecord(id=f"r{n}", vector=[1, n]) for n in range(50)])
    door.calls.clear()
    assert len(await connector.query(NOTES, [1, 0], k=10)) == 10
    assert door.calls == ["Search"]


async def test_ties_at_the_cut_are_followed_to_their_end(counted):
    connector, door = counted
    await connector.create(NOTES, 2)
    ids = [f"r{n:03}" for n in range(300)]
    random.Random(3).shuffle(ids)
    await connector.upsert(NOTES, [VectorRecord(id=key, vector=[1, 0]) for key in ids])
    await connector.upsert(NOTES, [VectorRecord(id="best", vector=[1, 0]), VectorRecord(id="far", vector=[0, 1])])
    door.calls.clear()
    found = [match.id for match in await connector.query(NOTES, [1, 0], k=3)]
    assert found == ["best", "r000", "r001"]
    assert set(door.calls) == {"Search"}


async def test_equal_vectors_of_many_dimensions_are_in_order_of_id(counted):
    """Products of matrices round equal rows differently, depending on where they lie."""
    connector, _ = counted
    source = random.Random(5)
    await connector.create(NOTES, 129, metric=Metric.DOT)
    same = [source.gauss(0, 1) for _ in range(129)]
    records = [VectorRecord(id=f"same{n:02}", vector=same) for n in range(37)]
    records += [VectorRecord(id=f"other{n}", vector=[source.gauss(0, 1) for _ in range(129)]) for n in range(50)]
    source.shuffle(records)
    for start in range(0, len(records), 10):
        await connector.upsert(NOTES, records[start : start + 10])
    found = await connector.query(NOTES, same, k=20)
    assert [match.id for match in found] == [f"same{n:02}" for n in range(20)]


async def test_more_neighbours_than_a_server_finds_are_refused(counted):
    connector, _ = counted
    await connector.create(NOTES, 2)
    assert await connector.query(NOTES, [1, 0], k=16_384) == []
    with pytest.raises(ConfigError, match="16384"):
        await connector.query(NOTES, [1, 0], k=16_385)
    with pytest.raises(ConfigError):
        await connector.query(NOTES, [1, 0], k=0)


async def test_what_the_filter_lets_through_wrongly_is_left_out_and_made_up_for(counted):
    """2**70 is beyond what a number in Milvus can be: the filter says "at least 1.18e21", which is not the same."""
    connector, _ = counted
    await connector.create(NOTES, 2)
    limit = 2**70
    near = [VectorRecord(id=f"equal{n:02}", vector=[1, 0], metadata={"n": float(limit)}) for n in range(40)]
    far = [VectorRecord(id=f"more{n}", vector=[n, 10], metadata={"n": float(limit) * 2}) for n in range(5)]
    await connector.upsert(NOTES, near + far)
    where = [Condition("n", Comparison.GT, limit)]
    assert [match.id for match in await connector.query(NOTES, [1, 0], k=2, where=where)] == ["more4", "more3"]
    # One more than that float is another limit, between two floats.
    between = [Condition("n", Comparison.GTE, limit + 1)]
    assert [match.id for match in await connector.query(NOTES, [1, 0], k=2, where=between)] == ["more4", "more3"]
    assert await connector.delete(NOTES, where=between) == 5


async def test_deletions_of_any_size_count_exactly(counted):
    connector, _ = counted
    await connector.create(NOTES, 2)
    records = [VectorRecord(id=f"r{n:04}", vector=[1, 0], metadata={"n": n}) for n in range(2500)]
    await connector.upsert(NOTES, records)
    assert await connector.delete(NOTES, where=parse_where({"n": {"lt": 2200}})) == 2200
    assert await connector.delete(NOTES, where=parse_where({"n": {"lt": 2200}})) == 0
    assert await connector.delete(NOTES, ids=[f"r{n:04}" for n in range(2100, 2300)]) == 100
    assert await count(connector) == 200


async def test_a_scan_reads_about_as_many_bytes_at_once_as_a_batch_may_have(counted):
    connector, door = counted
    await connector.create(NOTES, 2)
    await connector.upsert(NOTES, [VectorRecord(id=f"r{n:03}", vector=[1, n], text="x" * 1000) for n in range(500)])
    door.calls.clear()
    assert [record.id async for record in connector.scan(NOTES)] == [f"r{n:03}" for n in range(500)]
    # A hundred to begin with, then 64 KiB each, and nothing at the end.
    assert 8 <= door.calls.count("Query") <= 11


async def test_a_scan_misses_nothing_that_stays_while_others_write(counted):
    connector, _ = counted
    await connector.create(NOTES, 2)
    await connector.upsert(NOTES, [VectorRecord(id=f"r{n:03}", vector=[1, n], text="x" * 1000) for n in range(500)])
    seen = []
    async for record in connector.scan(NOTES):
        seen.append(record.id)
        if len(seen) % 50 == 0:
            await connector.upsert(NOTES, [VectorRecord(id=record.id, vector=[9, 9])])
            await connector.upsert(NOTES, [VectorRecord(id=f"{word}{len(seen)}", vector=[1, 1]) for word in "az"])
            await connector.delete(NOTES, ids=["r499", f"r{len(seen) // 2:03}"])
    assert len(seen) == len(set(seen))
    assert {f"r{n:03}" for n in range(499)} <= set(seen)
    assert "r499" not in seen


async def test_a_scan_knows_at_once_that_another_runtime_dropped_the_collection(counted):
    connector, _ = counted
    other = MilvusVectors(connector._settings)
    await other.start()
    try:
        await connector.create(NOTES, 2)
        await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
        await other.drop(NOTES)
        with pytest.raises(NotFoundError, match=NOTES):
            await anext(connector.scan(NOTES))
        await other.create(NOTES, 3, metric=Metric.L2)
        await other.upsert(NOTES, [VectorRecord(id="b", vector=[1, 2, 3])])
        assert [list(record.vector) async for record in connector.scan(NOTES)] == [[1, 2, 3]]
    finally:
        await other.stop()


async def test_ids_are_any_text(counted):
    connector, _ = counted
    await connector.create(NOTES, 2)
    ids = ["", " ", '"', "\\", '" or id != "', "a/b", "é", "世界 🎈", "\n", "\x00", "%", "'", "x" * 1000, "id in [1]"]
    await connector.upsert(NOTES, [VectorRecord(id=key, vector=[1, 0]) for key in ids])
    assert {match.id for match in await connector.query(NOTES, [1, 0], k=100)} == set(ids)
    assert [record.id async for record in connector.scan(NOTES)] == sorted(ids)
    for number, key in enumerate(ids):
        assert await connector.delete(NOTES, ids=[key]) == 1
        assert await count(connector) == len(ids) - number - 1
    assert await connector.delete(NOTES, ids=["\ud800"]) == 0


async def test_names_are_any_path(counted):
    connector, _ = counted
    names = [
        "agent/a/notes",
        "agent/A/notes",
        "agent/a/Notes",
        "agent/a/notes/2026",
        "agent/a/notes2",
        "agent/a/no tes",
        "agent/ü/世界",
        "agent/a/" + "long/" * 80 + "x",
        "agent/a/" + "long/" * 80 + "y",
    ]
    for number, name in enumerate(names):
        await connector.create(name, 2)
        await connector.upsert(name, [VectorRecord(id=f"{number}-{n}", vector=[1, 0]) for n in range(number)])
    everything = await connector.collections("")
    assert {info.name: info.count for info in everything} == {name: number for number, name in enumerate(names)}
    assert [info.name for info in everything] == sorted(names)
    assert [info.name for info in await connector.collections("agent/a/notes")] == [
        "agent/a/notes",
        "agent/a/notes/2026",
    ]
    assert [info.name for info in await connector.collections("agent/a/long")] == sorted(names[-2:])
    for name in names:
        await connector.drop(name)
    assert await connector.collections("") == []


async def test_other_collections_of_the_database_are_left_alone(counted):
    from pymilvus import CollectionSchema, DataType, FieldSchema
    from pymilvus.client.prepare import Prepare

    connector, _ = counted
    fields = [
        FieldSchema("id", DataType.INT64, is_primary=True),
        FieldSchema("embedding", DataType.FLOAT_VECTOR, dim=4),
    ]
    for name in ("theirs", "sre_theirs"):
        request = Prepare.create_collection_request(name, CollectionSchema(fields))
        await connector._session.client.call("CreateCollection", request)
    assert await connector.collections("") == []
    await connector.create(NOTES, 2)
    assert [info.name for info in await connector.collections("")] == [NOTES]
    assert {"theirs", "sre_theirs"} <= set(await connector._session.store.names())
