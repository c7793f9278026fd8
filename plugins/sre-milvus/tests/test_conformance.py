"""The rules of every vector connector, run on a file, in both layouts."""

from sre_core.testing.conformance.vectors import VectorConformance
from sre_milvus import MilvusSettings, MilvusVectors


class TestFile(VectorConformance):
    def make(self) -> MilvusVectors:
        return MilvusVectors(MilvusSettings(uri=self.folder / "milvus.db"))

    def make_broken(self) -> MilvusVectors:
        (self.folder / "old.db").write_bytes(b"SQLite format 3")
        return MilvusVectors(MilvusSettings(uri=self.folder / "old.db"))


class TestPartitions(TestFile):
    def make(self) -> MilvusVectors:
        return MilvusVectors(MilvusSettings(uri=self.folder / "milvus.db", layout="partitions"))
