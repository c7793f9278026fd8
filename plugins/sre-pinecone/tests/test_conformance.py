"""The rules of every vector connector, and of every one that speaks HTTP."""

import pytest

from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.conformance.vectors import VectorConformance
from sre_core.testing.replay import HttpReply
from sre_core.testing.servers import free_port
from sre_pinecone import PineconeSettings, PineconeVectors

from .fake_pinecone import KEY, FakePinecone  # noqa: TID252 -- the folder of tests is no package


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


class TestPineconeFaults(HttpFaultConformance):
    secret = "pcsk_secret-of-the-fault-kit-7331"

    def make_at(self, url: str) -> PineconeVectors:
        return PineconeVectors(PineconeSettings(key=self.secret, host=url, retries=0))

    async def call(self, connector: PineconeVectors) -> None:
        (match,) = await connector.query("agent/a/notes", [1.0, 0.0], k=1)
        assert match.id == "a"

    def good(self) -> HttpReply:
        match = {"id": "a", "score": 1.0, "values": [], "metadata": {}}
        return HttpReply.json({"matches": [match], "dimension": 2, "metric": "cosine", "namespaces": {}})
