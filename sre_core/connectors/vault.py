"""Secrets: what a plugin writes (VaultConnector) and what a user holds (Vault)."""

from abc import abstractmethod

from pydantic import SecretStr

from sre_core.access.acl import Access
from sre_core.access.resource import Resource
from sre_core.connectors.base import Connector, Service
from sre_core.connectors.handle import Handle

__all__ = ["Vault", "VaultConnector"]


class VaultConnector(Connector):
    """Keeps secrets under names. A name is a path of plain names, as "openai" or "team/ops/token".

    No secret appears in a repr, a log line or an error. Capability: "write".
    """

    service = Service.VAULT

    @abstractmethod
    async def get(self, name: str) -> SecretStr:
        """The secret. Raises NotFoundError."""

    @abstractmethod
    async def names(self) -> list[str]:
        """All names, sorted. Where a backend cannot tell, those it can."""

    async def set(self, name: str, secret: SecretStr) -> None:
        """Keep a secret, replacing the old one. Capability "write"."""
        raise self.unsupported("write")

    async def delete(self, name: str) -> None:
        """Forget a secret; a missing one is not an error. Capability "write"."""
        raise self.unsupported("write")


class Vault(Handle):
    """Secrets, as one candidate may use them. Each is a resource, `vault/<name>`; by default nobody may read it.

    A candidate's own secrets have names in its home, as "agent/a1/token".
    """

    service = Service.VAULT

    @property
    def _connector(self) -> VaultConnector:
        return self._slot.connector  # type: ignore[return-value]  # the runtime pairs slots with handles by service

    def resource(self, path: str = "") -> Resource:
        """`vault/<name>`; of another vault than the default one, `vault@<id>/<name>`."""
        vault = Resource((self._service_part(),))
        return vault.child(path) if path else vault

    async def get(self, name: str) -> SecretStr:
        """The secret; `.get_secret_value()` shows it. Raises NotFoundError. Needs READ."""
        async with self._operation("get", Access.READ, name):
            return await self._connector.get(self._key(name))

    async def names(self) -> list[str]:
        """The names of the secrets that the candidate may read, sorted."""
        async with self._unguarded("names"):
            found = await self._connector.names()
        return [name for name in found if await self._sees(name)]

    async def set(self, name: str, secret: SecretStr | str) -> None:
        """Keep a secret, replacing the old one. Capability "write"; needs WRITE."""
        async with self._operation("set", Access.WRITE, name):
            await self._connector.set(self._key(name), SecretStr(secret) if isinstance(secret, str) else secret)

    async def delete(self, name: str) -> None:
        """Forget a secret; a missing one is not an error. Capability "write"; needs WRITE."""
        async with self._operation("delete", Access.WRITE, name):
            await self._connector.delete(self._key(name))
