"""What the rules of VectorConnector share: collections of their own, and clean-up."""

import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import ClassVar

import pytest

from sre_core.connectors.vectors import VectorConnector, VectorRecord
from sre_core.errors import ConnectorError
from sre_core.testing.conformance.lifecycle import LifecycleConformance

__all__ = ["VectorRules"]


class VectorRules(LifecycleConformance):
    """Base of the parts of VectorConformance, which is the class to subclass."""

    tolerance: ClassVar[float] = 1e-5
    """How far a score may be from the true one, relatively."""

    @pytest.fixture(autouse=True)
    def _new_collections(self) -> None:
        self._home = f"agent/kit-{uuid.uuid4().hex}"
        self._used: set[str] = set()

    @pytest.fixture
    async def vectors(self, connector: VectorConnector) -> AsyncIterator[VectorConnector]:
        """The started connector; the collections that a test used are dropped afterwards."""
        yield connector
        for name in self._used:
            with suppress(ConnectorError):
                await connector.drop(name)

    def name(self, name: str = "notes") -> str:
        """The name of a collection that only this test uses."""
        name = f"{self._home}/{name}"
        self._used.add(name)
        return name

    def make(self) -> VectorConnector:
        """A new connector that is not started."""
        made = super().make()
        assert isinstance(made, VectorConnector)
        return made

    async def exercise(self, connector: VectorConnector, token: str) -> None:
        """Make a collection, keep a record, find it, drop the collection."""
        name = self.name(token)
        await connector.create(name, 2)
        await connector.upsert(name, [VectorRecord(id=token, vector=[1.0, 0.0], text=token)])
        (found,) = await connector.query(name, [1.0, 0.0], k=2)
        assert (found.id, found.text) == (token, token)
        await connector.drop(name)
