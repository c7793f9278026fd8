"""The objects of a bucket as the storage needs them; only `Connector.start` imports this, and with it the driver."""

import time
from collections.abc import AsyncGenerator

from sre_aws.errors import FOREIGN
from sre_aws.s3.bucket import Bucket
from sre_aws.s3.expiry import expire, missing, sweep
from sre_aws.s3.listing import listing
from sre_aws.s3.metadata import Head
from sre_aws.s3.reading import pieces
from sre_aws.s3.settings import S3Settings
from sre_aws.s3.writing import Writer
from sre_core.connectors.storage import ObjectInfo

__all__ = ["Objects"]


class Objects:
    """All that a storage does, on one open client."""

    def __init__(self, settings: S3Settings) -> None:
        """Opens nothing."""
        self._bucket = Bucket(settings)
        self.writer = Writer(self._bucket)

    async def open(self) -> None:
        """Find credentials, and the bucket."""
        await self._bucket.open()

    async def close(self) -> None:
        """Close the connections; safe whatever became of `open`."""
        await self._bucket.close()

    async def check(self) -> None:
        """Ask for the bucket."""
        await self._bucket.check()

    def pieces(self, key: str) -> AsyncGenerator[bytes]:
        """The object in pieces."""
        return pieces(self._bucket, key)

    def listing(self, prefix: str) -> AsyncGenerator[ObjectInfo]:
        """The objects below `prefix`."""
        return listing(self._bucket, prefix)

    async def stat(self, key: str) -> ObjectInfo:
        """What is known of an object. Raises NotFoundError."""
        return (await self._find(key)).info

    async def delete(self, key: str) -> None:
        """Remove an object; a missing one is not an error."""
        await self._bucket.remove(f"deleting {key!r}", self._bucket.keys.theirs(key))

    async def expire(self, key: str, seconds: float | None) -> None:
        """Let an object vanish; None means never."""
        await expire(self._bucket, key, seconds)

    async def link(self, key: str, seconds: float) -> str:
        """A signed link for so long, or as long as the object has to live. Raises NotFoundError."""
        expires = (await self._find(key)).info.expires
        if expires is not None:
            seconds = min(seconds, expires - time.time())
        where = {"Bucket": self._bucket.name, "Key": self._bucket.keys.theirs(key)}
        try:
            link: str = await self._bucket.client.driver.generate_presigned_url(
                "get_object", Params=where, ExpiresIn=max(1, int(seconds))
            )
        except FOREIGN as error:
            raise self._bucket.client.error(error, f"signing a link to {key!r}") from error
        return link

    async def _find(self, key: str) -> Head:
        head = await self._bucket.head(key)
        if head is None:
            raise missing(self._bucket, key)
        if head.expired(time.time()):
            await sweep(self._bucket, head)
            raise missing(self._bucket, key)
        return head
