"""The storage in S3."""

from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, ClassVar

from sre_aws.s3.settings import S3Settings
from sre_core.connectors.base import import_drivers
from sre_core.connectors.storage import ObjectInfo, StorageConnector
from sre_core.errors import ConfigError, ConnectorError

if TYPE_CHECKING:
    from sre_aws.s3.objects import Objects

__all__ = ["S3Storage"]

_LONGEST_LINK = 7 * 86_400


class S3Storage(StorageConnector):
    """Objects in a bucket of S3, or of a server that speaks its protocol; many processes may share it.

    Large objects go up in parts, and a read that is cut goes on where it was. Expired objects are deleted when
    somebody meets them. A list knows neither content types nor metadata, which `stat` tells.
    """

    name = "s3"
    settings_type = S3Settings
    capabilities: ClassVar[frozenset[str]] = frozenset({"stream", "expire", "url", "condition"})
    settings: S3Settings

    def __init__(self, settings: S3Settings) -> None:
        """Store the settings; open nothing."""
        super().__init__(settings)
        self._opened: Objects | None = None

    @property
    def _objects(self) -> "Objects":
        if self._opened is None:
            raise ConnectorError("the S3 storage is not started", hint="await start() first")
        return self._opened

    async def start(self) -> None:
        """Find credentials, and the bucket. Raises ConfigError and ConnectorErrors, among them NotFoundError."""
        await self.stop()
        await import_drivers("sre_aws.s3.objects")
        from sre_aws.s3.objects import Objects

        self._opened = Objects(self.settings)
        await self._opened.open()

    async def stop(self) -> None:
        """Close the connections."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    async def ping(self) -> None:
        """Ask for the bucket."""
        await self._objects.check()

    async def read(self, key: str) -> bytes:
        """The whole object."""
        async with aclosing(self.read_stream(key)) as pieces:
            return b"".join([piece async for piece in pieces])

    async def write(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_version: str | None = None,
    ) -> ObjectInfo:
        """Store an object. `if_version` raises UnsupportedError on a server that does not heed conditions."""
        return await self._objects.writer.write(
            key, data, content_type=content_type, metadata=metadata, if_version=if_version
        )

    async def delete(self, key: str) -> None:
        """Remove an object; a missing one is not an error."""
        await self._objects.delete(key)

    async def stat(self, key: str) -> ObjectInfo:
        """What is known of an object, without its bytes."""
        return await self._objects.stat(key)

    def list(self, prefix: str) -> AsyncGenerator[ObjectInfo]:
        """The objects below `prefix`, in order of key, with size, time, and their entity tag as version."""
        return self._objects.listing(prefix)

    def read_stream(self, key: str) -> AsyncGenerator[bytes]:
        """The object in pieces of at most a mebibyte, all of one version."""
        return self._objects.pieces(key)

    async def write_stream(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object from pieces, in parts of which a few are in memory at a time."""
        return await self._objects.writer.write_stream(key, chunks, content_type=content_type, metadata=metadata)

    async def expire(self, key: str, seconds: float | None) -> None:
        """Let an object vanish after `seconds`; None means never. S3 copies it, and it keeps its version."""
        await self._objects.expire(key, seconds)

    async def url(self, key: str, seconds: float) -> str:
        """A signed link, for seven days at most, and no longer than the object has to live."""
        if not 1 <= seconds <= _LONGEST_LINK:
            raise ConfigError(
                f"a link for {seconds:g} seconds; S3 makes them for 1 to {_LONGEST_LINK} seconds, which is seven days",
                hint="make a new link when it is needed",
            )
        return await self._objects.link(key, seconds)
