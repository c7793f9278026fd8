"""Uploads in parts: all or nothing, a few parts at a time, nothing left behind when they fail."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from sre_aws.s3.bucket import Bucket, body
from sre_aws.s3.parts import MOST_PARTS, part_size
from sre_core.errors import ConnectorError

__all__ = ["Upload", "cut", "upload"]

_PATIENCE = 10.0
"""Seconds that it may take to take a failed upload back."""


class Upload:
    """An object that is uploaded part by part, and comes to be when it is completed."""

    def __init__(self, bucket: Bucket, key: str, id: str) -> None:  # noqa: A002 -- S3's own name
        """`id` is what S3 calls it."""
        self.size = 0
        """The bytes that were sent, or are under way."""
        self._bucket = bucket
        self._what = f"writing {key!r}"
        self._where = {"Key": bucket.keys.theirs(key), "UploadId": id}
        self._number = 0
        self._tags: dict[int, str] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def send(self, data: bytes) -> None:
        """Let the next part go on its way, once there is room for it in memory.

        Raises what an earlier part has raised, and ConnectorError when there are more parts than S3 takes.
        """
        # Parts that have grown take the room of several.
        base, at_once = self._bucket.settings.part_size, self._bucket.settings.parts_at_once
        await self._wait(max(1, at_once * base // max(base, len(data))) - 1)
        self._begin(self._send(self._next(), data))
        self.size += len(data)

    async def copy(self, source: Mapping[str, Any]) -> None:
        """Let S3 copy the next part from an object that it has; `source` says which one, and what of it."""
        await self._wait(self._bucket.settings.parts_at_once - 1)
        self._begin(self._copy(self._next(), source))

    async def arrive(self) -> None:
        """Wait for all parts. Raises what one of them has raised."""
        await self._wait(0)

    async def complete(self, **condition: str) -> Any:
        """Wait for all parts, and make an object of them."""
        await self.arrive()
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in sorted(self._tags.items())]
        return await self._bucket.call(
            "complete_multipart_upload", self._what, MultipartUpload={"Parts": parts}, **self._where, **condition
        )

    async def abort(self) -> None:
        """Stop what is under way, and let S3 forget the parts. Raises nothing."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        # Where this fails, it is left to a lifecycle rule of the bucket.
        with suppress(ConnectorError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._bucket.call("abort_multipart_upload", self._what, **self._where)

    def _next(self) -> int:
        if self._number == MOST_PARTS:
            raise ConnectorError(
                f"{self._what}: an object of more than {self.size} bytes is larger than S3 takes in {MOST_PARTS} parts",
                hint="raise part_size, or keep it in several objects",
            )
        self._number += 1
        return self._number

    def _begin(self, part: Coroutine[Any, Any, None]) -> None:
        self._running.add(asyncio.create_task(part))

    async def _send(self, number: int, data: bytes) -> None:
        reply = await self._bucket.call("upload_part", self._what, PartNumber=number, Body=body(data), **self._where)
        self._tags[number] = reply["ETag"]

    async def _copy(self, number: int, source: Mapping[str, Any]) -> None:
        reply = await self._bucket.call("upload_part_copy", self._what, PartNumber=number, **source, **self._where)
        self._tags[number] = reply["CopyPartResult"]["ETag"]

    async def _wait(self, most: int) -> None:
        """Until `most` parts are under way. Raises what one of the others has raised."""
        while len(self._running) > most:
            done, self._running = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            # All are looked at, so that none complains later that nobody did.
            for error in [task.exception() for task in done]:
                if error is not None:
                    raise error


@asynccontextmanager
async def upload(bucket: Bucket, key: str, described: Mapping[str, Any]) -> AsyncIterator[Upload]:
    """An upload that is taken back if its block raises, or is cancelled."""
    reply = await bucket.call("create_multipart_upload", f"writing {key!r}", Key=bucket.keys.theirs(key), **described)
    begun = Upload(bucket, key, reply["UploadId"])
    try:
        yield begun
    except BaseException:
        await begun.abort()
        raise


async def cut(chunks: AsyncIterable[bytes], base: int) -> AsyncGenerator[tuple[bytes, bool]]:
    """The same bytes in parts for an upload, each with whether it is the last, which alone is short or empty."""
    number = 1
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        # Not when it is just full: the last part must have something in it.
        while len(gathered) > (size := part_size(number, base)):
            with memoryview(gathered) as view:
                part = bytes(view[:size])
            del gathered[:size]
            yield part, False
            number += 1
    yield bytes(gathered), True
