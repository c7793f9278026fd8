"""The default vault of one machine: the environment first, then the encrypted file."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, SecretStr

from sre_core.builtin.env_vault import EnvVault, EnvVaultSettings
from sre_core.builtin.file_vault import FileVault, FileVaultSettings
from sre_core.connectors.vault import VaultConnector
from sre_core.errors import NotFoundError

__all__ = ["LocalVault", "LocalVaultSettings"]


class LocalVaultSettings(FileVaultSettings):
    """Those of the file vault, and `names` of the env vault."""

    names: Mapping[str, str] = Field(default_factory=dict)


class LocalVault(VaultConnector):
    """Looks a secret up in the environment, then in the encrypted file; writes go to the file.

    A variable that ends in `_API_KEY`, or is given under `names`, hides a secret of the same name in the file, as
    for one run of a program. Any other comes after the file: `$USER` must not hide a secret named "user".
    """

    name = "local"
    settings_type = LocalVaultSettings
    capabilities: ClassVar[frozenset[str]] = frozenset({"write"})

    def __init__(self, settings: LocalVaultSettings) -> None:
        """Read nothing yet."""
        super().__init__(settings)
        self._env = EnvVault(EnvVaultSettings(names=settings.names))
        self._file = FileVault(FileVaultSettings(**settings.model_dump(exclude={"names"})))

    async def start(self) -> None:
        """Get both ready."""
        await self._file.start()

    async def stop(self) -> None:
        """Forget the key of the file."""
        await self._file.stop()

    async def ping(self) -> None:
        """Open the file, if there is one."""
        await self._file.ping()

    async def get(self, name: str) -> SecretStr:
        """The secret. Raises NotFoundError, UnauthenticatedError."""
        if await self._named(name):
            return await self._env.get(name)
        try:
            return await self._file.get(name)
        except NotFoundError:
            try:
                return await self._env.get(name)
            except NotFoundError as missing:
                raise NotFoundError(
                    f"secret {name!r} is neither in the environment nor in the vault file",
                    hint=f"{missing.hint}, or: sre vault set {name}",
                ) from None

    async def names(self) -> list[str]:
        """The names of both, sorted."""
        return sorted({*await self._env.names(), *await self._file.names()})

    async def source(self, name: str) -> str:
        """Which of the two answers for a name: "environment", "file" or "nowhere"."""
        if await self._named(name):
            return "environment"
        if name in await self._file.names():
            return "file"
        try:
            await self._env.get(name)
        except NotFoundError:
            return "nowhere"
        return "environment"

    async def _named(self, name: str) -> bool:
        """Whether a variable is meant for this secret, by its ending or by the settings."""
        return name in await self._env.names()

    async def set(self, name: str, secret: SecretStr) -> None:
        """Keep a secret in the file."""
        await self._file.set(name, secret)

    async def delete(self, name: str) -> None:
        """Forget a secret of the file; what the environment has stays."""
        await self._file.delete(name)
