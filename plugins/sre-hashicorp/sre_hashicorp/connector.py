"""The verbs of a vault, in HashiCorp Vault or OpenBao."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import SecretStr

from sre_core.connectors.base import import_drivers
from sre_core.connectors.vault import VaultConnector
from sre_core.errors import ConfigError, ConnectorError
from sre_hashicorp.settings import HashicorpSettings

if TYPE_CHECKING:
    from sre_hashicorp.server import Server

__all__ = ["HashicorpVault"]

_SURROGATES = re.compile("[\ud800-\udfff]")


class HashicorpVault(VaultConnector):
    """Keeps secrets in a KV engine of HashiCorp Vault or OpenBao, version 1 or 2, shared by all who may log in there.

    A name is a path below the mount and the prefix; the secret is one entry of what lies there. To delete one deletes
    all its versions. Our token is renewed while it is used, and got anew when it has ended, if there is a login.
    """

    name = "hashicorp"
    settings_type = HashicorpSettings
    capabilities: ClassVar[frozenset[str]] = frozenset({"write"})

    def __init__(self, settings: HashicorpSettings) -> None:
        """Connect to nothing yet."""
        super().__init__(settings)
        self._vault_settings = settings
        self._place = settings.place
        self._server: Server | None = None

    async def start(self) -> None:
        """Log in, and find out which version the mount has. Raises ConnectorError, ConfigError."""
        await import_drivers("sre_hashicorp.server")
        from sre_hashicorp.server import Server

        self._server = await Server.open(self._vault_settings)
        await self._server.start()

    async def stop(self) -> None:
        """Forget the token, and close all connections."""
        server, self._server = self._server, None
        if server is not None:
            await server.stop()

    async def ping(self) -> None:
        """Return when the server is unsealed and takes our token."""
        await self._opened().ping()

    async def describe(self) -> Mapping[str, str]:
        """Where the secrets are."""
        settings = self._vault_settings
        return {"secrets": f"{settings.place}, {'/'.join(filter(None, (settings.mount, settings.prefix)))}"}

    async def get(self, name: str) -> SecretStr:
        """The secret. Raises NotFoundError, also for one whose newest version is deleted."""
        return SecretStr(await self._opened().read(self._path(name), name))

    async def names(self) -> list[str]:
        """All names that our token may list, sorted. In KV version 2, also those whose newest version is deleted."""
        return await self._opened().names(self._vault_settings.prefix)

    async def set(self, name: str, secret: SecretStr) -> None:
        """Keep a secret, in place of all entries that the old one had."""
        text = secret.get_secret_value()
        # JSON takes them, and the server would keep another letter; the error of an encoder would show the secret.
        if _SURROGATES.search(text):
            raise ConfigError(f"secret {name!r} is no Unicode text: half of a letter stands alone in it")
        await self._opened().write(self._path(name), text, name)

    async def delete(self, name: str) -> None:
        """Forget a secret and all its versions; a missing one is not an error."""
        await self._opened().delete(self._path(name), name)

    def _path(self, name: str) -> str:
        # The server refuses letters that do not print, without a word.
        if {"", ".", ".."} & set(name.split("/")) or not name.isprintable():
            raise ConfigError(f"{name!r} is no name of a secret", hint="a path of plain names is, as team/ops/token")
        return f"{self._vault_settings.prefix}/{name}".lstrip("/")

    def _opened(self) -> "Server":
        if self._server is None:
            raise ConnectorError(f"the {self._place} is not open", hint="start the connector before its use")
        return self._server
