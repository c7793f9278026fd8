"""Answers to changes that confirm nothing, or not all; and a network on which all of it takes its time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sre_core.connectors.vectors import VectorRecord
from sre_core.errors import ConnectorError
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_pinecone import PineconeVectors

from .used import NOTES, connector_at  # noqa: TID252 -- the folder of tests is no package

pytestmark = pytest.mark.anyio

STATISTICS = b'{"namespaces": {}, "dimension": 2, "metric": "cosine"}'
NAMESPACE = b'{"name": "agent__a__notes", "record_count": "1"}'
NO_INDEXES = b'{"indexes": []}'


@asynccontextmanager
async def answered(fake, setting: str, *bodies: bytes) -> AsyncIterator[PineconeVectors]:
    """A connector, started, whose requests are answered with these bodies."""
    replies = [HttpReply(headers={"Content-Type": "application/json"}, pieces=(body,)) for body in bodies]
    async with ReplayServer.running(*replies) as server:
        connector = connector_at(fake, **{setting: server.url})
        try:
            await connector.start()
            yield connector
        finally:
            await connector.stop()


async def test_an_upsert_of_which_only_a_part_was_taken_is_told_of(fake):
    async with answered(fake, "host", STATISTICS, NAMESPACE, b'{"upsertedCount": 1}') as connector:
        with pytest.raises(ConnectorError, match="1 of 2 records") as partly:
            await connector.upsert(NOTES, [VectorRecord(id=key, vector=[1, 0]) for key in "ab"])
        assert "again" in str(partly.value.hint)


@pytest.mark.parametrize("answer", [b"", b"{", b"[]"], ids=["empty", "half", "list"])
async def test_a_collection_that_nobody_confirms_to_be_dropped_may_still_be_there(fake, answer):
    async with answered(fake, "host", STATISTICS, NAMESPACE, answer) as connector:
        with pytest.raises(ConnectorError, match="not as Pinecone does"):
            await connector.drop(NOTES)


@pytest.mark.parametrize("answer", [b"", b"{}"], ids=["empty", "object"])
async def test_an_index_that_nobody_confirms_to_be_made_is_not_waited_for(fake, answer):
    async with answered(fake, "url", NO_INDEXES, NO_INDEXES, answer) as connector:
        with pytest.raises(ConnectorError, match=r"new index 'sre-2-cosine'.* not as Pinecone does"):
            await connector.create(NOTES, 2)


async def test_over_a_slow_network_everything_arrives_whole(fake):
    index = await fake.add_index("mine", 512, "cosine")
    kept = [VectorRecord(id=f"r{n:03}", vector=[n + 1.0, *[1.0] * 511], text="x" * 2000) for n in range(250)]
    async with FaultProxy.before(int(index.host.partition(":")[2])) as proxy:
        proxy.delay = 0.05
        connector = connector_at(fake, host=f"http://127.0.0.1:{proxy.port}")
        try:
            await connector.start()
            await connector.create(NOTES, 512)
            await connector.upsert(NOTES, kept)
            found = await connector.query(NOTES, kept[0].vector, k=1000)
            assert {match.id: match.text for match in found} == {record.id: record.text for record in kept}
            assert [record async for record in connector.scan(NOTES)] == kept
        finally:
            await connector.stop()
