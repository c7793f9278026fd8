"""A setting that names a secret instead of holding it."""

import asyncio
import os

from pydantic import SecretStr

from sre_core.config import load
from sre_core.connectors import CacheConnector, Connector, Settings
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_sdk import Candidate, Runtime


class AcmeSettings(Settings):
    """The key of the service."""

    key: SecretStr


class AcmeCache(CacheConnector):
    """Stands for a cache behind a key."""

    name = "acme"
    settings_type = AcmeSettings
    settings: AcmeSettings

    async def start(self) -> None:
        """Show that the key has arrived."""
        print("key:", self.settings.key, len(self.settings.key.get_secret_value()))

    async def get(self, key: str) -> bytes | None:
        """Nothing is kept."""
        return None

    async def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Nothing is kept."""

    async def delete(self, key: str) -> None:
        """Nothing is kept."""

    async def expires_in(self, key: str) -> float | None:
        """Nothing is kept."""
        return None


class AcmePlugin:
    """What an installed package would offer as a module."""

    @hookimpl
    def register_connectors(self) -> list[type[Connector]]:
        """The one connector."""
        return [AcmeCache]


os.environ["ACME_API_KEY"] = "s3cret"
config = load(code={"connectors": {"cache": {"default": {"use": "acme", "key": {"vault": "acme"}}}}}).config


async def main() -> None:
    async with Runtime(config, plugins=Plugins.load(extra={"acme": AcmePlugin()})) as runtime:
        print(await runtime.cache(Candidate.user("ada")).get("anything"))


asyncio.run(main())
