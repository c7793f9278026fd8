"""A connector that keeps every rule, for its twins to break one."""

import asyncio
from typing import Any, ClassVar

from pydantic import SecretStr

from sre_core.connectors import CacheConnector, Connector, Settings
from sre_core.errors import NotFoundError
from sre_core.testing.conformance.lifecycle import LifecycleConformance
from tests.unit.sre_core.testing.conformance.twins import failing

SECRET = "correct-horse-battery"


class GoodSettings(Settings):
    password: SecretStr = SecretStr(SECRET)
    size: int = 10


class Good(CacheConnector):
    """Keeps every rule."""

    name = "good"
    settings_type: ClassVar[type[Settings]] = GoodSettings

    async def start(self) -> None:
        self.values: dict[str, bytes] = {}
        await asyncio.sleep(0)

    async def stop(self) -> None:
        self.values = {}

    async def get(self, key: str) -> bytes | None:
        await asyncio.sleep(0)
        return self.values.get(key)

    async def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        await asyncio.sleep(0)
        self.values[key] = value

    async def delete(self, key: str) -> None:
        self.values.pop(key, None)

    async def expires_in(self, key: str) -> float | None:
        raise NotFoundError(f"no key {key!r}")


class Kit(LifecycleConformance):
    patience: ClassVar[float] = 5.0

    def make(self) -> Connector:
        return Good(GoodSettings())

    async def exercise(self, connector: Any, token: str) -> None:
        await connector.set(token, token.encode())
        assert await connector.get(token) == token.encode()


def broken_rules(kind: type[Connector], settings: Settings | None = None) -> set[str]:
    chosen = kind.settings_type() if settings is None else settings
    return failing(Kit, lambda: kind(chosen))
