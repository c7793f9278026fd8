"""Who makes a collection when several want to, in the layout with a register."""

import asyncio

import pytest

from sre_core.connectors.vectors import Metric, VectorRecord
from sre_core.errors import ConflictError
from sre_milvus import MilvusSettings, MilvusVectors

pytestmark = [pytest.mark.anyio, pytest.mark.integration]

NOTES = "agent/a/notes"


def connector_at(port: int) -> MilvusVectors:
    settings = {"index": "FLAT", "layout": "partitions", "prefix": "claims", "retries": 0}
    return MilvusVectors(MilvusSettings(uri=f"http://127.0.0.1:{port}", **settings))


@pytest.fixture
async def connector(milvus_server):
    """One whose collections are gone afterwards."""
    made = connector_at(milvus_server.port)
    await made.start()
    try:
        yield made
    finally:
        for info in await made.collections(""):
            await made.drop(info.name)
        await made.stop()


async def use(connector: MilvusVectors) -> None:
    await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1, 0])])
    assert [match.id for match in await connector.query(NOTES, [1, 0], k=5)] == ["a"]


async def test_a_claim_of_somebody_who_was_killed_is_in_the_way_for_a_while_only(connector, monkeypatch):
    from sre_milvus import partitions
    from sre_milvus.places import Place

    layout = connector._session.layout
    await connector.create("agent/a/other", 2)
    dead = Place(collection=NOTES, name="claims___cosine_2", dimension=2, metric=Metric.COSINE, space="dead")
    await layout._enter(dead, made=False)
    assert [info.name for info in await connector.collections("")] == ["agent/a/other"]
    monkeypatch.setattr(partitions, "_FIRST_WAIT", 0)
    with pytest.raises(ConflictError, match="being made by somebody else") as refused:
        await connector.create(NOTES, 2)
    assert "60 s" in str(refused.value.hint)
    monkeypatch.setattr(partitions, "_CLAIM_SECONDS", 0)
    await connector.create(NOTES, 2)
    await use(connector)
    assert [info.name for info in await connector.collections("")] == [NOTES, "agent/a/other"]


async def test_a_claim_of_somebody_who_was_cancelled_is_taken_back(connector):
    layout = connector._session.layout
    enter, entered = layout._enter, asyncio.Event()

    async def enter_and_wait(place, *, made):
        await enter(place, made=made)
        entered.set()
        await asyncio.Event().wait()

    layout._enter = enter_and_wait
    cancelled = asyncio.create_task(connector.create(NOTES, 2))
    await entered.wait()
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    layout._enter = enter
    await connector.create(NOTES, 2)
    await use(connector)


async def test_of_those_who_see_each_others_claims_one_gets_there(milvus_server, connector, monkeypatch):
    """Whenever one has entered a claim, he looks again only after the other has, too, or is done."""
    from sre_milvus import partitions

    monkeypatch.setattr(partitions, "_FIRST_WAIT", 0.001)
    other = connector_at(milvus_server.port)
    await other.start()
    await connector.create("agent/a/other", 2)
    creating = set()

    def meeting(layout, enter):
        async def entering(place, *, made):
            await enter(place, made=made)
            while not made and len(creating) == 2 and len(await layout._entries(partitions._named(NOTES), None)) < 2:
                pass

        return entering

    async def create(one):
        creating.add(one)
        try:
            await one.create(NOTES, 2)
        finally:
            creating.discard(one)

    for one in (connector, other):
        monkeypatch.setattr(one._session.layout, "_enter", meeting(one._session.layout, one._session.layout._enter))
    made = await asyncio.gather(create(connector), create(other), return_exceptions=True)
    assert sorted(type(error).__name__ for error in made) == ["ConflictError", "NoneType"]
    await use(connector)
    await other.stop()
