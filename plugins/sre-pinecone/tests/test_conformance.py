"""The rules of every vector connector, and of every one that speaks HTTP."""

from typing import ClassVar

import pytest

from sre_core.connectors.vectors import VectorRecord
from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.conformance.vectors import VectorConformance
from sre_core.testing.replay import HttpReply
from sre_core.testing.servers import free_port
from sre_pinecone import PineconeSettings, PineconeVectors

from .fake_pinecone import KEY, FakePinecone  # noqa: TID252 -- the folder of tests is no package
from .used import NOTES  # noqa: TID252


class TestPinecone(VectorConformance):
    @pytest.fixture(autouse=True)
    async def _server(self, fake: FakePinecone) -> None:
        self.fake = fake

    def make(self) -> PineconeVectors:
        return PineconeVectors(PineconeSettings(key=KEY, url=self.fake.url))

    def make_broken(self) -> PineconeVectors:
        return PineconeVectors(PineconeSettings(key=KEY, url=f"http://127.0.0.1:{free_port()}", retries=0))


class TestPineconeThatShowsChangesLater(TestPinecone):
    """As the real one does; and the numbers of records later still."""

    @pytest.fixture(autouse=True)
    async def _server(self, fake: FakePinecone) -> None:
        fake.lag, fake.count_lag, fake.slow_index = 2, 5, 1
        self.fake = fake


class PineconeFaults(HttpFaultConformance):
    """Part of the classes below."""

    secret = "pcsk_secret-of-the-fault-kit-7331"

    def make_at(self, url: str) -> PineconeVectors:
        return PineconeVectors(PineconeSettings(key=self.secret, host=url, retries=0))

    async def call(self, connector: PineconeVectors) -> None:
        (match,) = await connector.query(NOTES, [1.0, 0.0], k=1)
        assert match.id == "a"

    def good(self) -> HttpReply:
        match = {"id": "a", "score": 1.0, "values": [], "metadata": {}}
        return HttpReply.json({"matches": [match], "dimension": 2, "metric": "cosine", "namespaces": {}})


class TestPineconeFaults(PineconeFaults):
    """From the first request on, by which it starts."""


class TestPineconeIndexesFaults(PineconeFaults):
    def make_at(self, url: str) -> PineconeVectors:
        return PineconeVectors(PineconeSettings(key=self.secret, url=url, retries=0))

    async def call(self, connector: PineconeVectors) -> None:
        assert await connector.collections("") == []

    def good(self) -> HttpReply:
        return HttpReply.json({"indexes": []})


class CallFaults(PineconeFaults):
    """What is asked for before the request of the call is answered well."""

    ready: ClassVar = {
        path: HttpReply.json(data)
        for path, data in {
            "/describe_index_stats": {"namespaces": {}, "dimension": 2, "metric": "cosine"},
            "/namespaces/agent__a__notes": {"name": "agent__a__notes", "record_count": "1"},
            "/vectors/fetch": {"vectors": {"a": {"id": "a", "values": [1.0, 0.0]}}},
        }.items()
    }


class TestPineconeQueryFaults(CallFaults):
    pass


class TestPineconeUpsertFaults(CallFaults):
    async def call(self, connector: PineconeVectors) -> None:
        await connector.upsert(NOTES, [VectorRecord(id="a", vector=[1.0, 0.0])])

    def good(self) -> HttpReply:
        return HttpReply.json({"upsertedCount": 1})


class TestPineconeDeleteFaults(CallFaults):
    async def call(self, connector: PineconeVectors) -> None:
        assert await connector.delete(NOTES, ids=["a"]) == 1

    def good(self) -> HttpReply:
        return HttpReply.json({})

    @pytest.mark.parametrize("body", [b"\x00\xff{[", b"", b"[]", b"null"], ids=["bytes", "empty", "list", "null"])
    async def test_garbage_is_no_answer(self, body: bytes) -> None:
        """All but an empty object, with which Pinecone answers a deletion."""
        await super().test_garbage_is_no_answer(body)
