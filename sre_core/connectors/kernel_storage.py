"""A storage as the kernel itself uses it: unguarded, for the ACLs that the guard decides by."""

from collections.abc import Callable
from typing import cast

from sre_core.connectors.operation import Operation
from sre_core.connectors.slot import Slot
from sre_core.connectors.storage import ObjectInfo, StorageConnector

__all__ = ["KernelStorage"]


class KernelStorage:
    """Starts the storage with the first object that is needed; calls have a deadline, and their errors are ours."""

    def __init__(self, find: Callable[[], Slot], *, timeout: float | None = None) -> None:
        """`find` gives the slot of the storage, or raises UnknownConnectorError; `timeout` bounds each call."""
        self._find = find
        self._timeout = timeout

    @property
    def capabilities(self) -> frozenset[str]:
        """Those of the connector."""
        return self._find().capabilities

    async def read(self, key: str) -> bytes:
        """The whole object. Raises NotFoundError."""
        slot = self._find()
        async with Operation("read", slot, timeout=self._timeout):
            return await _connector(slot).read(key)

    async def write(self, key: str, data: bytes, *, if_version: str | None = None) -> ObjectInfo:
        """Store an object. Raises ConflictError when the version differs."""
        slot = self._find()
        async with Operation("write", slot, timeout=self._timeout):
            return await _connector(slot).write(key, data, content_type="application/json", if_version=if_version)

    async def delete(self, key: str) -> None:
        """Remove an object; a missing one is not an error."""
        slot = self._find()
        async with Operation("delete", slot, timeout=self._timeout):
            await _connector(slot).delete(key)

    async def stat(self, key: str) -> ObjectInfo:
        """What is known of an object. Raises NotFoundError."""
        slot = self._find()
        async with Operation("stat", slot, timeout=self._timeout):
            return await _connector(slot).stat(key)


def _connector(slot: Slot) -> StorageConnector:
    return cast("StorageConnector", slot.connector)
