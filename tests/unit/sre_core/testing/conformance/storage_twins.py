"""The kit of storages without the rules of the lifecycle, and storages that keep every rule."""

import base64
from typing import Any, ClassVar

from sre_core.builtin.memory_storage import MemoryStorage
from sre_core.connectors import Settings, StorageConnector
from sre_core.connectors.storage import ObjectInfo
from sre_core.testing.conformance.lifecycle import LifecycleConformance
from sre_core.testing.conformance.storage import StorageConformance
from tests.unit.sre_core.testing.conformance.twins import failing


class Kit(StorageConformance):
    patience: ClassVar[float] = 5.0
    many: ClassVar[int] = 120

    def make(self) -> StorageConnector:
        return MemoryStorage(Settings())


# These have twins of their own, and would run again for each of ours.
for _name in vars(LifecycleConformance):
    if _name.startswith("test_"):
        setattr(Kit, _name, None)

RULES = frozenset(name for name in dir(Kit) if name.startswith("test_") and getattr(Kit, name) is not None)


def broken_rules(kind: type[Any]) -> set[str]:
    """The rules that connectors of this kind break, without parameters."""
    return {name.partition("[")[0] for name in failing(Kit, lambda: kind(Settings()))}


class Bare(MemoryStorage):
    """Has no optional capability."""

    capabilities = frozenset()

    async def write(self, key: str, data: bytes, *, if_version: str | None = None, **rest: Any) -> ObjectInfo:
        if if_version is not None:
            raise self.unsupported("condition")
        return await super().write(key, data, **rest)

    read_stream = StorageConnector.read_stream
    write_stream = StorageConnector.write_stream
    expire = StorageConnector.expire


class Linked(MemoryStorage):
    """Makes links that hold the object itself."""

    capabilities = MemoryStorage.capabilities | {"url"}

    async def url(self, key: str, seconds: float) -> str:
        return "data:;base64," + base64.b64encode(await self.read(key)).decode()
