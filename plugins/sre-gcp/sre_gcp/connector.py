"""Connector `gcs`: the storage contract on a bucket of Google Cloud Storage."""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING

from sre_core.connectors.base import import_drivers
from sre_core.connectors.storage import ObjectInfo, StorageConnector
from sre_core.errors import ConfigError, ConnectorError, NotFoundError
from sre_gcp.settings import GcsSettings

if TYPE_CHECKING:
    from sre_gcp.bucket import Bucket
    from sre_gcp.links import Links

__all__ = ["GcsStorage"]


class GcsStorage(StorageConnector):
    """Objects in a bucket of Google Cloud Storage, under their keys.

    An object's version is its generation. Its expiry is kept in its metadata, and read with every object; what has
    expired is missing, and stays in the bucket until somebody deletes it, or a rule of the bucket does. Credentials
    that cannot sign make no links: then "url" is not among the capabilities.
    """

    name = "gcs"
    settings_type = GcsSettings
    capabilities = frozenset({"stream", "expire", "url", "condition"})
    settings: GcsSettings

    def __init__(self, settings: GcsSettings) -> None:
        """Store the settings; look for no credentials."""
        super().__init__(settings)
        self._started: tuple[Bucket, Links] | None = None
        if settings.anonymous:
            self._declare(signs=False)

    def _declare(self, *, signs: bool) -> None:
        # Whether links can be signed is a matter of the credentials, so it is the instance that declares it.
        without = frozenset[str]() if signs else frozenset({"url"})
        self.capabilities = type(self).capabilities - without  # type: ignore[misc]

    async def start(self) -> None:
        """Find the credentials, and look into the bucket.

        Raises NotFoundError when there is no bucket, UnauthenticatedError when the credentials are missing or
        refused, ConfigError when they cannot be read, UnavailableError when the service cannot be reached.
        """
        if self._started is not None:
            return
        await import_drivers("sre_gcp.api", "sre_gcp.bucket", "sre_gcp.credentials", "sre_gcp.links")
        from sre_gcp.api import Api
        from sre_gcp.bucket import Bucket
        from sre_gcp.credentials import Tokens, load
        from sre_gcp.links import Links, can_sign

        settings = self.settings
        credentials = await asyncio.to_thread(load, settings)
        self._declare(signs=can_sign(credentials))
        tokens = Tokens(credentials, settings)
        api = Api(settings, tokens)
        bucket = Bucket(api, settings)
        try:
            await bucket.check()
        except BaseException:
            await bucket.stop()
            raise
        self._started = bucket, Links(credentials, settings, api)

    async def stop(self) -> None:
        """Close all connections."""
        started, self._started = self._started, None
        if started is not None:
            await started[0].stop()

    @property
    def _bucket(self) -> "Bucket":
        if self._started is None:
            raise ConnectorError("the storage 'gcs' is not started", hint="await start() first")
        return self._started[0]

    async def ping(self) -> None:
        """Look into the bucket. Raises the ConnectorError that keeps us from using it."""
        await self._bucket.check()

    async def read(self, key: str) -> bytes:
        """The whole object."""
        return await self._bucket.read(key)

    async def stat(self, key: str) -> ObjectInfo:
        """What is known of an object, without its bytes."""
        return await self._bucket.stat(key)

    async def delete(self, key: str) -> None:
        """Remove an object; a missing one is not an error."""
        await self._bucket.delete(key)

    async def write(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_version: str | None = None,
    ) -> ObjectInfo:
        """Store an object; Google checks that all of it arrived."""
        return await self._bucket.write(key, data, content_type=content_type, metadata=metadata, if_version=if_version)

    async def list(self, prefix: str) -> AsyncGenerator[ObjectInfo]:
        """The objects below `prefix` in order of key; those whose names are no keys are left out."""
        async with aclosing(self._bucket.list(prefix)) as items:
            async for info in items:
                yield info

    async def read_stream(self, key: str) -> AsyncGenerator[bytes]:
        """The object in pieces of at most a mebibyte. A connection that breaks is replaced, see `retries`."""
        async with aclosing(self._bucket.read_stream(key)) as pieces:
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
        """Store an object from pieces; `piece_bytes` of it lie in memory."""
        return await self._bucket.write_stream(key, chunks, content_type=content_type, metadata=metadata)

    async def expire(self, key: str, seconds: float | None) -> None:
        """Let an object vanish after `seconds`; None means never. It keeps its version."""
        await self._bucket.expire(key, _moment(seconds))

    async def url(self, key: str, seconds: float) -> str:
        """A link that anyone can read the object with, for `seconds`, a week at most, and not beyond its expiry.

        Raises NotFoundError when there is no object.
        """
        if "url" not in self.capabilities:
            raise self.unsupported("url")
        info = await self._bucket.stat(key)
        left = seconds if info.expires is None else min(seconds, info.expires - time.time())
        if left <= 0 < seconds:
            raise NotFoundError(f"{key!r} has just expired", hint="write it again")
        return await self._links.sign(self._bucket.name(key), left)

    @property
    def _links(self) -> "Links":
        if self._started is None:
            raise ConnectorError("the storage 'gcs' is not started", hint="await start() first")
        return self._started[1]


def _moment(seconds: float | None) -> float | None:
    """When `seconds` are over, since the epoch. Raises ConfigError for what is no time."""
    if seconds is None:
        return None
    if not math.isfinite(seconds):
        raise ConfigError(f"an object cannot expire after {seconds} seconds", hint="None means never")
    return time.time() + seconds
