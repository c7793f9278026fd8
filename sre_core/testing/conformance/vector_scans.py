"""The rules of a vector database that declares "scan"."""

import struct
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from sre_core.connectors.vectors import Metric, Scalar, VectorConnector, VectorRecord
from sre_core.errors import NotFoundError, UnsupportedError
from sre_core.testing.conformance.vector_rules import VectorRules

__all__ = ["VectorScans"]

_MANY = 1050
"""More records than databases give in one page."""


class VectorScans(VectorRules):
    """Part of VectorConformance, which is the class to subclass."""

    async def test_without_the_capability_scan_is_unsupported(self, vectors: VectorConnector) -> None:
        """Declared, it works, also on an empty collection; not declared, it raises UnsupportedError."""
        await vectors.create(self.name(), 2)
        if "scan" in vectors.capabilities:
            assert await _scanned(vectors, self.name()) == {}
            return
        with pytest.raises(UnsupportedError):
            await _scanned(vectors, self.name())

    @pytest.mark.parametrize("metric", list(Metric))
    async def test_a_scan_gives_records_as_they_were_kept(self, vectors: VectorConnector, metric: Metric) -> None:
        """Vector, text and metadata, with the types of its values; every number of a vector is that of float32."""
        if "scan" not in vectors.capabilities:
            return
        metadata: dict[str, Scalar] = {"word": "Grüße 世界", "whole": 7, "part": 0.5, "yes": True, "none": ""}
        rich = VectorRecord(id="a/ü 1", vector=[3.0, -1 / 3, 1e-3], metadata=metadata, text='two\nlines, "quoted"')
        plain = VectorRecord(id="b", vector=[0.0, 1e-20, 100.1])
        await vectors.create(self.name(), 3, metric=metric)
        await vectors.upsert(self.name(), [rich, plain])
        found = await _scanned(vectors, self.name())
        assert sorted(found) == ["a/ü 1", "b"]
        for record in (rich, plain):
            same = found[record.id]
            assert _float32(same.vector) == _float32(record.vector)
            assert (dict(same.metadata), same.text) == (dict(record.metadata), record.text)
        kinds = {name: type(value) for name, value in found["a/ü 1"].metadata.items()}
        assert kinds == {name: type(value) for name, value in metadata.items()}

    async def test_a_scan_gives_every_record_once(self, vectors: VectorConnector) -> None:
        """Also where there are more than come in one page."""
        if "scan" not in vectors.capabilities:
            return
        await vectors.create(self.name(), 2)
        for start in range(0, _MANY, 210):
            batch = [VectorRecord(id=f"r{n}", vector=[n, 1]) for n in range(start, start + 210)]
            await vectors.upsert(self.name(), batch)
        async with aclosing(vectors.scan(self.name())) as records:
            ids = [record.id async for record in records]
        assert sorted(ids) == sorted(f"r{n}" for n in range(_MANY))

    async def test_a_scan_gives_no_record_twice_and_leaves_none_out_while_others_change(
        self, vectors: VectorConnector
    ) -> None:
        """What is deleted, replaced and added meanwhile moves none of those that stay."""
        if "scan" not in vectors.capabilities:
            return
        await vectors.create(self.name(), 2)
        for start in range(0, _MANY, 210):
            batch = [VectorRecord(id=f"r{n:04}", vector=[n, 1]) for n in range(start, start + 210)]
            await vectors.upsert(self.name(), batch)
        ids: list[str] = []
        async with aclosing(vectors.scan(self.name())) as records:
            async for record in records:
                ids.append(record.id)
                if len(ids) == 5:
                    await vectors.delete(self.name(), ids=[f"r{n:04}" for n in range(0, _MANY, 2)])
                    odd = [VectorRecord(id=f"r{n:04}", vector=[n, 2]) for n in range(1, 200, 2)]
                    await vectors.upsert(self.name(), [*odd, VectorRecord(id="a", vector=[0, 1])])
        assert len(ids) == len(set(ids))
        assert {f"r{n:04}" for n in range(1, _MANY, 2)} <= set(ids)

    async def test_a_scan_gives_the_records_of_its_collection_alone(self, vectors: VectorConnector) -> None:
        """Not those of one below it, or of one whose name is only longer."""
        if "scan" not in vectors.capabilities:
            return
        for name in ("notes", "notes/below", "notes2"):
            await vectors.create(self.name(name), 2)
            await vectors.upsert(self.name(name), [VectorRecord(id=name, vector=[1, 0])])
        assert list(await _scanned(vectors, self.name())) == ["notes"]

    async def test_a_scan_shows_every_change_at_once(self, vectors: VectorConnector) -> None:
        """What was replaced or deleted before it began is not there any more."""
        if "scan" not in vectors.capabilities:
            return
        await vectors.create(self.name(), 2)
        await vectors.upsert(self.name(), [VectorRecord(id=key, vector=[1, 0], text="old") for key in "abc"])
        await vectors.upsert(self.name(), [VectorRecord(id="b", vector=[0, 1], text="new")])
        await vectors.delete(self.name(), ids=["a"])
        found = await _scanned(vectors, self.name())
        assert {key: record.text for key, record in found.items()} == {"b": "new", "c": "old"}
        assert list(found["b"].vector) == pytest.approx([0, 1], rel=self.tolerance)

    async def test_a_scan_of_a_missing_collection_is_not_found(self, vectors: VectorConnector) -> None:
        """The first record raises NotFoundError."""
        if "scan" not in vectors.capabilities:
            return
        with pytest.raises(NotFoundError):
            await _scanned(vectors, self.name("missing"))

    async def test_a_scan_that_is_left_early_leaves_it_usable(self, vectors: VectorConnector) -> None:
        """Its generator can be closed after any record; changes and further scans go on."""
        if "scan" not in vectors.capabilities:
            return
        await vectors.create(self.name(), 2)
        await vectors.upsert(self.name(), [VectorRecord(id=str(n), vector=[n, 1]) for n in range(50)])
        async with aclosing(vectors.scan(self.name())) as records:
            first = await anext(records)
        await vectors.delete(self.name(), ids=[first.id])
        assert len(await _scanned(vectors, self.name())) == 49


async def _scanned(vectors: VectorConnector, collection: str) -> dict[str, VectorRecord]:
    async with aclosing(vectors.scan(collection)) as records:
        return {record.id: record async for record in records}


def _float32(vector: Sequence[float]) -> tuple[float, ...]:
    return struct.unpack(f"{len(vector)}f", struct.pack(f"{len(vector)}f", *vector))
