"""The rules of every vector connector, run on a file and on a server, in both layouts."""

import pytest

from sre_core.testing.conformance.vectors import VectorConformance
from sre_core.testing.servers import free_port
from sre_milvus import MilvusSettings, MilvusVectors


class TestFile(VectorConformance):
    def make(self) -> MilvusVectors:
        return MilvusVectors(MilvusSettings(uri=self.folder / "milvus.db"))

    def make_broken(self) -> MilvusVectors:
        (self.folder / "old.db").write_bytes(b"SQLite format 3")
        return MilvusVectors(MilvusSettings(uri=self.folder / "old.db"))


class TestPartitionsInAFile(TestFile):
    def make(self) -> MilvusVectors:
        return MilvusVectors(MilvusSettings(uri=self.folder / "milvus.db", layout="partitions"))


@pytest.mark.integration
class TestServer(VectorConformance):
    layout = "collections"

    @pytest.fixture(autouse=True)
    def _server(self, milvus_server) -> None:
        self.port = milvus_server.port

    def at(self, port: int) -> MilvusVectors:
        # Milvus Lite looks at no credentials; that they are nowhere to be seen is what matters here.
        settings = {"uri": f"http://127.0.0.1:{port}", "user": "root", "password": "the-secret-of-milvus-8264"}
        return MilvusVectors(MilvusSettings(**settings, index="FLAT", layout=self.layout, retries=0))

    def make(self) -> MilvusVectors:
        return self.at(self.port)

    def make_broken(self) -> MilvusVectors:
        return self.at(free_port())


@pytest.mark.integration
class TestPartitionsOnAServer(TestServer):
    layout = "partitions"
