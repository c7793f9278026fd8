"""Connector `azure`: the storage contract on a container of Azure Blob Storage."""

import math
import time
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sre_azure.settings import AzureSettings
from sre_core.connectors.base import import_drivers
from sre_core.connectors.storage import ObjectInfo, StorageConnector
from sre_core.errors import ConfigError, ConnectorError, NotFoundError

if TYPE_CHECKING:
    from sre_azure.container import Container
    from sre_azure.credentials import Access
    from sre_azure.links import Links

__all__ = ["AzureStorage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """What a started connector has."""

    access: "Access"
    container: "Container"
    links: "Links"


class AzureStorage(StorageConnector):
    """Objects in a container of Azure Blob Storage, as block blobs under their keys.

    An object's version is its ETag, which changes with its expiry as well. The expiry is kept in its metadata, and read
    with every object; what has expired is missing, and is removed when somebody meets it a minute later. With a shared
    access signature nothing can be signed: then "url" is not among the capabilities.
    """

    name = "azure"
    settings_type = AzureSettings
    capabilities = frozenset({"stream", "expire", "url", "condition"})
    settings: AzureSettings

    def __init__(self, settings: AzureSettings) -> None:
        """Store the settings; look for no credentials."""
        super().__init__(settings)
        self._running: _Running | None = None
        self._declare(signs=settings.sas_token is None)

    def _declare(self, *, signs: bool) -> None:
        # Whether links can be signed is a matter of the credentials, so it is the instance that declares it.
        without = frozenset[str]() if signs else frozenset({"url"})
        self.capabilities = type(self).capabilities - without  # type: ignore[misc]

    async def start(self) -> None:
        """Make a client, and look into the container.

        Raises NotFoundError when there is no container, UnauthenticatedError when the credentials are refused,
        ConfigError when they cannot be read, UnavailableError when the service cannot be reached.
        """
        if self._running is not None:
            return
        await import_drivers("sre_azure.container", "sre_azure.credentials", "sre_azure.links")
        from sre_azure.container import Container
        from sre_azure.credentials import Access
        from sre_azure.links import Links

        access = await Access.open(self.settings)
        try:
            container = Container(access, self.settings)
            links = Links(access, container.where)
            await container.check()
        except BaseException:
            await access.stop()
            raise
        self._declare(signs=links.can_sign)
        self._running = _Running(access=access, container=container, links=links)

    async def stop(self) -> None:
        """Close all connections."""
        running, self._running = self._running, None
        if running is not None:
            await running.access.stop()

    @property
    def _ready(self) -> _Running:
        if self._running is None:
            raise ConnectorError("the storage 'azure' is not started", hint="await start() first")
        return self._running

    @property
    def _container(self) -> "Container":
        return self._ready.container

    async def ping(self) -> None:
        """Look into the container. Raises the ConnectorError that keeps us from using it."""
        await self._container.check()

    async def read(self, key: str) -> bytes:
        """The whole object."""
        return await self._container.read(key)

    async def stat(self, key: str) -> ObjectInfo:
        """What is known of an object, without its bytes."""
        return await self._container.stat(key)

    async def delete(self, key: str) -> None:
        """Remove an object with its snapshots; a missing one is not an error."""
        await self._container.delete(key)

    async def write(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_version: str | None = None,
    ) -> ObjectInfo:
        """Store an object. Key, content type and metadata may have 8 KiB in all, as the service wants it."""
        return await self._container.write(
            key, data, content_type=content_type, metadata=metadata, if_version=if_version
        )

    async def list(self, prefix: str) -> AsyncGenerator[ObjectInfo]:
        """The objects below `prefix` in order of key; those whose names are no keys are left out."""
        async with aclosing(self._container.list(prefix)) as items:
            async for info in items:
                yield info

    async def read_stream(self, key: str) -> AsyncGenerator[bytes]:
        """The object in pieces of at most `piece_bytes`; no connection is held between two of them."""
        async with aclosing(self._container.read_stream(key)) as pieces:
            async for piece in pieces:
                yield piece

    async def write_stream(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object from pieces; `piece_bytes` of it lie in memory.

        Raises ConflictError when somebody else wrote it meanwhile.
        """
        return await self._container.write_stream(key, chunks, content_type=content_type, metadata=metadata)

    async def expire(self, key: str, seconds: float | None) -> None:
        """Let an object vanish after `seconds`; None means never. Its version changes."""
        await self._container.expire(key, _moment(seconds))

    async def url(self, key: str, seconds: float) -> str:
        """A link that anyone can read the object with, for `seconds`, and not beyond its expiry.

        Raises NotFoundError when there is no object.
        """
        if "url" not in self.capabilities:
            raise self.unsupported("url")
        running = self._ready
        info = await running.container.stat(key)
        left = seconds if info.expires is None else min(seconds, info.expires - time.time())
        if left <= 0 < seconds:
            raise NotFoundError(f"{key!r} has just expired", hint="write it again")
        return await running.links.sign(running.container.blob(key), left)


def _moment(seconds: float | None) -> float | None:
    """When `seconds` are over, since the epoch. Raises ConfigError for what is no time."""
    if seconds is None:
        return None
    if not math.isfinite(seconds):
        raise ConfigError(f"an object cannot expire after {seconds} seconds", hint="None means never")
    return time.time() + seconds
