"""What the rules of StorageConnector share: keys of their own, and clean-up."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest

from sre_core.connectors.storage import StorageConnector
from sre_core.testing.conformance.lifecycle import LifecycleConformance

__all__ = ["StorageRules"]


class StorageRules(LifecycleConformance):
    """Base of the parts of StorageConformance, which is the class to subclass."""

    @pytest.fixture(autouse=True)
    def _new_keys(self) -> None:
        self._home = f"agent/kit-{uuid.uuid4().hex}"
        self._used: set[str] = set()

    @pytest.fixture
    async def storage(self, connector: StorageConnector) -> AsyncIterator[StorageConnector]:
        """The started connector; the objects that a test used are deleted afterwards."""
        yield connector
        used = sorted(self._used)
        for begin in range(0, len(used), 50):
            deletions = (connector.delete(key) for key in used[begin : begin + 50])
            # A connector that cannot delete has failed a test already.
            await asyncio.gather(*deletions, return_exceptions=True)

    def key(self, name: str) -> str:
        """A key that only this test uses; the prefix of all of them when `name` is empty."""
        if not name:
            return self._home
        key = f"{self._home}/{name}"
        self._used.add(key)
        return key

    def make(self) -> StorageConnector:
        """A new storage that is not started."""
        made = super().make()
        assert isinstance(made, StorageConnector)
        return made

    async def exercise(self, connector: StorageConnector, token: str) -> None:
        """Write an object, and read it back."""
        await connector.write(self.key(token), token.encode())
        assert await connector.read(self.key(token)) == token.encode()

    async def listed(self, storage: StorageConnector, prefix: str) -> list[str]:
        """The keys below `prefix` without the part that only this test has."""
        return [info.key.removeprefix(f"{self._home}/") async for info in storage.list(self.key(prefix))]
