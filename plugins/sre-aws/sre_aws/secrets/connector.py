"""The vault in AWS Secrets Manager."""

from typing import TYPE_CHECKING, ClassVar

from pydantic import SecretStr

from sre_aws.secrets.settings import SecretsManagerSettings
from sre_core.connectors.base import import_drivers
from sre_core.connectors.vault import VaultConnector
from sre_core.errors import ConnectorError

if TYPE_CHECKING:
    from sre_aws.secrets.client import Secrets

__all__ = ["SecretsManagerVault"]


class SecretsManagerVault(VaultConnector):
    """Secrets in AWS Secrets Manager, each as a secret of its own below a prefix; many processes may share them.

    Secrets that were made with other tools are read as well, if they are text.
    """

    name = "aws-secrets"
    settings_type = SecretsManagerSettings
    capabilities: ClassVar[frozenset[str]] = frozenset({"write"})
    settings: SecretsManagerSettings

    def __init__(self, settings: SecretsManagerSettings) -> None:
        """Store the settings; open nothing."""
        super().__init__(settings)
        self._opened: Secrets | None = None

    @property
    def _secrets(self) -> "Secrets":
        if self._opened is None:
            raise ConnectorError("the vault 'aws-secrets' is not started", hint="await start() first")
        return self._opened

    async def start(self) -> None:
        """Find credentials and region; asks AWS nothing, as one who may only read a secret may not list any.

        Raises UnauthenticatedError, ConfigError.
        """
        await self.stop()
        await import_drivers("sre_aws.secrets.client")
        from sre_aws.secrets.client import Secrets

        self._opened = Secrets(self.settings)
        await self._opened.client.open()

    async def stop(self) -> None:
        """Close the connections."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.client.close()

    async def ping(self) -> None:
        """List one secret, which needs the right to list."""
        await self._secrets.check()

    async def get(self, name: str) -> SecretStr:
        """The secret. Raises NotFoundError, also while AWS could still restore it."""
        return await self._secrets.get(name)

    async def names(self) -> list[str]:
        """All names below the prefix, sorted; needs the right to list."""
        return await self._secrets.names()

    async def set(self, name: str, secret: SecretStr) -> None:
        """Keep a secret of 1 to 65,536 bytes; the older version stays as AWSPREVIOUS."""
        await self._secrets.set(name, secret)

    async def delete(self, name: str) -> None:
        """Forget a secret; a missing one is not an error."""
        await self._secrets.delete(name)
