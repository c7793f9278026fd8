"""Which indexes are made and used, and the collections in them."""

import asyncio

import pytest

from sre_core.connectors.vectors import Metric, VectorRecord
from sre_core.errors import ConfigError, ConflictError, ConnectorError, DeadlineError, NotFoundError

from .used import NOTES, connector_at, ids  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio


async def test_an_index_is_made_for_each_dimension_and_metric_and_used_again(fake, connector):
    for name, dimension, metric in (
        ("agent/a/one", 2, Metric.COSINE),
        ("agent/a/two", 2, Metric.COSINE),
        ("agent/b/one", 2, Metric.L2),
        ("agent/b/two", 3, Metric.DOT),
    ):
        await connector.create(name, dimension, metric=metric)
    assert sorted(fake.indexes) == ["sre-2-cosine", "sre-2-euclidean", "sre-3-dotproduct"]
    found = await connector.collections("agent")
    assert [(info.name, info.dimension, info.metric) for info in found] == [
        ("agent/a/one", 2, Metric.COSINE),
        ("agent/a/two", 2, Metric.COSINE),
        ("agent/b/one", 2, Metric.L2),
        ("agent/b/two", 3, Metric.DOT),
    ]


async def test_collections_made_at_once_share_the_index_that_is_made(fake, connector):
    await asyncio.gather(*(connector.create(f"agent/a/n{n}", 2) for n in range(20)))
    assert list(fake.indexes) == ["sre-2-cosine"]
    assert len(await connector.collections("agent/a")) == 20


async def test_a_new_index_is_waited_for_but_not_for_ever(fake, connector):
    fake.slow_index = 3
    await connector.create(NOTES, 2)
    fake.slow_index = 1_000_000
    hasty = connector_at(fake, create_timeout=0.1)
    await hasty.start()
    with pytest.raises(DeadlineError, match="sre-3-cosine"):
        await hasty.create("agent/a/other", 3)
    await hasty.stop()


async def test_a_collection_is_found_in_an_index_that_another_runtime_made(fake, connector):
    other = connector_at(fake)
    await other.start()
    await other.create(NOTES, 2)
    await other.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
    assert await ids(connector) == ["a"]
    with pytest.raises(ConflictError):
        await connector.create(NOTES, 3, metric=Metric.L2)
    await other.stop()


async def test_an_index_that_was_removed_is_forgotten(fake, connector):
    await connector.create(NOTES, 2)
    await connector.create("agent/a/other", 3)
    removed = fake.indexes.pop("sre-2-cosine")
    removed.namespaces.clear()
    with pytest.raises(NotFoundError):
        await ids(connector)
    assert [info.name for info in await connector.collections("")] == ["agent/a/other"]


async def test_indexes_and_namespaces_of_others_are_left_alone(fake, connector):
    from .fake_pinecone import Namespace  # noqa: TID252

    await fake.add_index("theirs", 2, "cosine")
    await connector.create(NOTES, 2)
    fake.indexes["sre-2-cosine"].namespaces["their space"] = Namespace()
    assert [info.name for info in await connector.collections("")] == [NOTES]


async def test_a_dimension_that_pinecone_does_not_have_is_refused(fake, connector):
    with pytest.raises(ConnectorError, match="no such field"):
        await connector.create(NOTES, 20_001)


# One index


async def test_one_index_is_used_when_its_host_is_given(fake):
    index = await fake.add_index("mine", 2, "dotproduct")
    connector = connector_at(fake, host=f"http://{index.host}", url="http://127.0.0.1:9")
    await connector.start()
    try:
        await connector.create(NOTES, 2, metric=Metric.DOT)
        await connector.upsert(NOTES, [VectorRecord(id="a", vector=[2, 0])])
        (match,) = await connector.query(NOTES, [3, 0], k=5)
        assert (match.id, match.score) == ("a", 6)
        (info,) = await connector.collections("")
        assert (info.name, info.dimension, info.metric, info.count) == (NOTES, 2, Metric.DOT, 1)
        for dimension, metric in ((3, Metric.DOT), (2, Metric.COSINE)):
            with pytest.raises(ConfigError, match="2 dimensions and dot"):
                await connector.create("agent/a/other", dimension, metric=metric)
        with pytest.raises(NotFoundError):
            await connector.query("agent/a/other", [1, 0], k=1)
        await connector.drop(NOTES)
        assert await connector.collections("") == []
    finally:
        await connector.stop()


async def test_namespaces_are_listed_to_the_last_page(fake, connector):
    names = [f"agent/a/n{n:03}" for n in range(230)]
    for name in names:
        await connector.create(name, 2)
    assert [info.name for info in await connector.collections("agent/a")] == names
