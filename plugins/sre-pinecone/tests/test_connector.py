"""What takes several requests, and what is refused before the first."""

import asyncio

import pytest

from sre_core.connectors.vectors import Comparison, Condition, Metric, VectorRecord, parse_where
from sre_core.errors import ConfigError, DeadlineError, NotFoundError, UnauthenticatedError, UnavailableError

from .used import NOTES, connector_at, count, ids, paths  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio


# Freshness


async def test_a_change_returns_when_it_shows(fake, connector):
    await connector.create(NOTES, 2)
    fake.lag = 4
    fake.requests.clear()
    await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0], text="old")])
    assert paths(fake).count("/query") == 5
    assert await ids(connector) == ["a"]
    await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0], text="new")])
    assert [match.text for match in await connector.query(NOTES, [1, 0], k=1)] == ["new"]
    assert await connector.delete(NOTES, ids=["a"]) == 1
    assert await ids(connector) == []


async def test_a_change_that_never_shows_is_told_of_in_time(fake):
    connector = connector_at(fake, fresh_timeout=0.2)
    await connector.start()
    await connector.create(NOTES, 2)
    fake.lag = 1_000_000
    with pytest.raises(DeadlineError, match="does not show it") as late:
        await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
    assert "fresh_timeout" in str(late.value.hint)
    await connector.stop()


async def test_a_server_that_tells_no_freshness_is_believed(fake, connector):
    """As a local one, which shows changes at once."""
    fake.tells_lsn = False
    await connector.create(NOTES, 2)
    fake.requests.clear()
    await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
    assert paths(fake).count("/query") == 0
    assert await ids(connector) == ["a"]


async def test_a_server_that_tells_half_of_its_freshness_is_believed_after_a_while(fake, connector, monkeypatch):
    from sre_pinecone import store

    monkeypatch.setattr(store, "_UNTOLD", 0.05)
    fake.tells_indexed = False
    await connector.create(NOTES, 2)
    fake.requests.clear()
    await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
    assert paths(fake).count("/query") > 1
    assert await ids(connector) == ["a"]


async def test_counts_are_true_at_once_though_pinecone_tells_old_ones(fake, connector):
    await connector.create(NOTES, 2)
    fake.count_lag = 1_000_000
    await connector.collections(NOTES)
    await connector.upsert(NOTES, [VectorRecord(id=f"r{n:03}", vector=[1, 0]) for n in range(250)])
    assert await count(connector) == 250
    await connector.delete(NOTES, ids=["r000", "r001"])
    assert await count(connector) == 248


async def test_counts_of_collections_that_were_left_alone_are_those_that_pinecone_tells(fake, connector):
    await connector.create(NOTES, 2)
    await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
    other = connector_at(fake)
    await other.start()
    fake.requests.clear()
    assert await count(other) == 1
    assert "/vectors/list" not in paths(fake)
    await other.stop()


# Requests


async def test_a_query_is_one_request(fake, connector):
    await connector.create(NOTES, 2)
    await connector.upsert(NOTES, [VectorRecord(id=f"r{n}", vector=[1, n]) for n in range(50)])
    fake.requests.clear()
    assert len(await ids(connector, k=10)) == 10
    assert paths(fake) == ["/query"]


async def test_large_batches_are_sent_in_parts_by_number_and_by_size(fake, connector):
    await connector.create(NOTES, 2)
    fake.requests.clear()
    await connector.upsert(NOTES, [VectorRecord(id=f"r{n:04}", vector=[1, n]) for n in range(1050)])
    assert paths(fake).count("/vectors/upsert") == 11
    assert await count(connector) == 1050
    fake.requests.clear()
    await connector.upsert(NOTES, [VectorRecord(id=f"t{n}", vector=[1, 0], text="é" * 20_000) for n in range(90)])
    assert paths(fake).count("/vectors/upsert") == 2
    assert await count(connector) == 1140


async def test_a_heavy_batch_does_not_hold_up_the_event_loop(fake, connector):
    """It is written out in a thread, and checked as a whole all the same."""
    await connector.create(NOTES, 512)
    records = [VectorRecord(id=f"r{n}", vector=[float(n)] + [1.0] * 511) for n in range(300)]
    await connector.upsert(NOTES, records)
    assert await count(connector) == 300
    fake.requests.clear()
    with pytest.raises(ConfigError, match="'bad'"):
        await connector.upsert(NOTES, [*records, VectorRecord(id="bad", vector=[float("nan")] * 512)])
    assert "/vectors/upsert" not in paths(fake)


@pytest.mark.parametrize(
    "record",
    [
        VectorRecord(id="zero", vector=[0, 0]),
        VectorRecord(id="nearly-zero", vector=[0, 1e-50]),
        VectorRecord(id="long", vector=[1, 0], text="x" * 41_000),
        VectorRecord(id="much", vector=[1, 0], metadata={"a": "x" * 30_000}, text="x" * 11_000),
        VectorRecord(id="x" * 513, vector=[1, 0]),
        VectorRecord(id="\ud800", vector=[1, 0]),
        VectorRecord(id="text", vector=[1, 0], text="\ud800"),
        VectorRecord(id="odd", vector=[1, 0], metadata={"n": None}),
    ],
    ids=["zero", "nearly-zero", "text", "metadata", "id", "surrogate-id", "surrogate-text", "none"],
)
async def test_what_pinecone_cannot_keep_is_refused_and_nothing_of_its_batch_sent(fake, connector, record):
    await connector.create(NOTES, 2)
    fake.requests.clear()
    with pytest.raises(ConfigError) as refused:
        await connector.upsert(NOTES, [VectorRecord(id="good", vector=[1, 0]), record])
    assert len(str(refused.value)) < 400
    assert "/vectors/upsert" not in paths(fake)
    assert await count(connector) == 0


async def test_ties_at_the_cut_are_followed_to_their_end(fake, connector):
    await connector.create(NOTES, 2)
    records = [VectorRecord(id=f"r{n:03}", vector=[1, 0]) for n in reversed(range(300))]
    await connector.upsert(NOTES, [*records, VectorRecord(id="far", vector=[0, 1])])
    assert await ids(connector, k=3) == ["r000", "r001", "r002"]


async def test_texts_are_ordered_though_pinecone_orders_numbers_only(fake, connector):
    await connector.create(NOTES, 2)
    records = [VectorRecord(id=f"r{n:02}", vector=[1, n], metadata={"day": f"2026-01-{n:02}"}) for n in range(60)]
    await connector.upsert(NOTES, records)
    where = [Condition("day", Comparison.GTE, "2026-01-55")]
    assert await ids(connector, k=3, where=where) == ["r55", "r56", "r57"]
    assert await connector.delete(NOTES, where=where) == 5


async def test_what_nobody_can_meet_finds_nothing_and_a_missing_collection_is_still_missed(fake, connector):
    nobody = [Condition("x", Comparison.IN, ())]
    with pytest.raises(NotFoundError):
        await ids(connector, where=nobody)
    await connector.create(NOTES, 2)
    assert await ids(connector, where=nobody) == []
    assert await connector.delete(NOTES, where=nobody) == 0


async def test_more_neighbours_than_pinecone_finds_are_refused(fake, connector):
    await connector.create(NOTES, 2)
    assert await ids(connector, k=10_000) == []
    with pytest.raises(ConfigError, match="10000"):
        await ids(connector, k=10_001)


async def test_deletions_of_any_size_count_exactly(fake, connector):
    await connector.create(NOTES, 2)
    records = [VectorRecord(id=f"r{n:04}", vector=[1, 0], metadata={"n": n}) for n in range(2300)]
    await connector.upsert(NOTES, records)
    assert await connector.delete(NOTES, where=parse_where({"n": {"lt": 2100}})) == 2100
    # No filter of Pinecone's says "everybody"; all are looked at.
    everybody = [Condition("n", Comparison.NE, 2**60)]
    assert await connector.delete(NOTES, ids=[f"r{n:04}" for n in range(2000, 2200)]) == 100
    assert await connector.delete(NOTES, where=everybody) == 100
    assert await count(connector) == 0


async def test_ids_are_any_text_that_fits(fake, connector):
    await connector.create(NOTES, 2)
    keys = ["", " ", "%", "%20", '"', "a/b", "é", "世界", "\n", "\x00", "a&ids=b", "x" * 512, "#", "+"]
    await connector.upsert(NOTES, [VectorRecord(id=key, vector=[1, 0]) for key in keys])
    assert set(await ids(connector)) == set(keys)
    assert sorted([record.id async for record in connector.scan(NOTES)]) == sorted(keys)
    for number, key in enumerate(keys):
        assert await connector.delete(NOTES, ids=[key]) == 1
        assert await count(connector) == len(keys) - number - 1
    assert await connector.delete(NOTES, ids=["\ud800", "x" * 600]) == 0


async def test_many_ids_fit_into_urls(fake, connector):
    await connector.create(NOTES, 2)
    keys = [f"{n}/" + "ü" * 80 for n in range(150)]
    records = [VectorRecord(id=key, vector=[1, 0], metadata={"n": 1}) for key in keys]
    await connector.upsert(NOTES, records)
    assert await connector.delete(NOTES, ids=keys) == 150
    await connector.upsert(NOTES, records)
    # Of no number beyond 53 bits can a filter tell that it differs: all records are listed, then fetched.
    assert await connector.delete(NOTES, where=[Condition("n", Comparison.NE, 2**60)]) == 150


# Scans


async def test_a_scan_reads_few_numbers_at_once(fake, connector):
    """Long vectors come in smaller parts, so that reading one does not hold up the event loop."""
    await connector.create(NOTES, 10_000)
    await connector.upsert(NOTES, [VectorRecord(id=f"r{n:02}", vector=[n + 1] * 10_000) for n in range(45)])
    fake.requests.clear()
    assert [record.id async for record in connector.scan(NOTES)] == [f"r{n:02}" for n in range(45)]
    assert paths(fake).count("/vectors/fetch") == 3


async def test_a_scan_gives_numbers_as_float32_keeps_them(fake, connector):
    """However many digits Pinecone writes."""
    await connector.create(NOTES, 2)
    await connector.upsert(NOTES, [VectorRecord(id="a", vector=[0.1, 1 / 3])])
    (index,) = fake.indexes.values()
    (namespace,) = index.namespaces.values()
    namespace.records["a"]["values"] = namespace.records["a"]["values"].astype("f8").round(8)
    (record,) = [record async for record in connector.scan(NOTES)]
    assert list(record.vector) == [0.10000000149011612, 0.3333333432674408]


async def test_a_scan_leaves_out_what_goes_while_it_reads_and_misses_nothing_that_stays(fake, connector):
    await connector.create(NOTES, 2)
    await connector.upsert(NOTES, [VectorRecord(id=f"r{n:03}", vector=[1, n]) for n in range(350)])
    seen = []
    async for record in connector.scan(NOTES):
        seen.append(record.id)
        if record.id == "r050":
            await connector.delete(NOTES, ids=[f"r{n:03}" for n in range(0, 350, 2)])
            await connector.upsert(NOTES, [VectorRecord(id=f"new{n}", vector=[1, n]) for n in range(5)])
    assert len(seen) == len(set(seen))
    assert {f"r{n:03}" for n in range(1, 350, 2)} <= set(seen)
    assert not {f"r{n:03}" for n in range(200, 350, 2)} & set(seen)


async def test_a_scan_knows_at_once_that_another_runtime_dropped_the_collection(fake, connector):
    other = connector_at(fake)
    await other.start()
    await other.create(NOTES, 2)
    await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
    await other.drop(NOTES)
    with pytest.raises(NotFoundError, match=NOTES):
        await anext(connector.scan(NOTES))
    await other.stop()


# Several runtimes


async def test_a_collection_that_another_runtime_dropped_is_missed(fake):
    one, two = connector_at(fake, recheck=0), connector_at(fake, recheck=0)
    await one.start()
    await two.start()
    await one.create(NOTES, 2)
    await two.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
    await one.drop(NOTES)
    for call in (ids(two), two.upsert(NOTES, [VectorRecord(id="b", vector=[1, 0])]), two.delete(NOTES, ids=["a"])):
        with pytest.raises(NotFoundError, match=NOTES):
            await call
    await one.create(NOTES, 3, metric=Metric.L2)
    await two.upsert(NOTES, [VectorRecord(id="c", vector=[1, 0, 0])])
    (match,) = await one.query(NOTES, [1, 0, 0], k=5)
    assert (match.id, match.score) == ("c", 0)
    await one.stop()
    await two.stop()


async def test_of_two_who_make_a_collection_at_once_one_is_told_that_it_exists(fake, connector):
    other = connector_at(fake)
    await other.start()
    made = await asyncio.gather(connector.create(NOTES, 2), other.create(NOTES, 2), return_exceptions=True)
    assert sorted(type(error).__name__ for error in made) == ["ConflictError", "NoneType"]
    await other.stop()


async def test_two_runtimes_that_write_the_same_ids_lose_nothing_else(fake, connector):
    fake.lag = 2
    other = connector_at(fake)
    await other.start()
    await connector.create(NOTES, 2)
    batches = [
        (writer, [VectorRecord(id=key, vector=[1, 0], text=name) for key in (*shared, f"{name}-{shared[0]}")])
        for shared in ([f"r{n}" for n in range(start, start + 20)] for start in range(0, 100, 10))
        for name, writer in (("one", connector), ("two", other))
    ]
    await asyncio.gather(*(writer.upsert(NOTES, batch) for writer, batch in batches))
    found = {match.id: match.text for match in await connector.query(NOTES, [1, 0], k=1000)}
    own = {f"{name}-r{start}": name for start in range(0, 100, 10) for name in ("one", "two")}
    assert found.keys() == {f"r{n}" for n in range(110)} | own.keys()
    assert found.items() >= own.items()
    assert set(found.values()) == {"one", "two"}
    assert found == {match.id: match.text for match in await other.query(NOTES, [1, 0], k=1000)}
    assert await count(connector) == await count(other) == 130
    await other.stop()


# Credentials and attempts


async def test_a_wrong_key_is_named_as_such_and_not_shown(fake):
    connector = connector_at(fake, key="pcsk_wrong_key_9923")
    with pytest.raises(UnauthenticatedError) as refused:
        await connector.start()
    assert "pcsk_wrong_key_9923" not in f"{refused.value} {refused.value!r} {refused.value.hint}"
    await connector.stop()


async def test_a_key_that_expires_while_it_runs_is_named_as_such(fake, connector, monkeypatch):
    from . import fake_pinecone  # noqa: TID252

    await connector.create(NOTES, 2)
    monkeypatch.setattr(fake_pinecone, "KEY", "another")
    with pytest.raises(UnauthenticatedError):
        await ids(connector)


async def test_stopping_ends_the_calls_that_are_under_way(connector, fake):
    await connector.create(NOTES, 2)
    fake.lag = 1_000_000
    call = asyncio.create_task(connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])]))
    async with fake.came:
        await fake.came.wait_for(lambda: "/query" in paths(fake))
    await connector.stop()
    with pytest.raises(UnavailableError):
        await call
