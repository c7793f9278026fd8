"""Uploads in parts: all or nothing, a few parts at a time, nothing left behind when they fail."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sre_aws.s3.bucket import Bucket, body
from sre_aws.s3.parts import MOST_PARTS, part_size
from sre_core.errors import ConnectorError

__all__ = ["Upload", "chained", "cut", "send_all", "sliced", "upload"]

_PATIENCE = 10.0
"""Seconds that a failed upload may take to be taken back."""


class Upload:
    """An object that is uploaded part by part, and comes to be when it is completed."""

    def __init__(self, bucket: Bucket, key: str, id: str) -> None:  # noqa: A002 -- S3's own name
        """`id` is what S3 calls it."""
        self._bucket = bucket
        self._what = f"writing {key!r}"
        self._where = {"Key": bucket.keys.theirs(key), "UploadId": id}
        self._tags: dict[int, str] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def send(self, number: int, data: bytes) -> None:
        """Upload part `number`, from 1 to MOST_PARTS."""
        reply = await self._bucket.call("upload_part", self._what, PartNumber=number, Body=body(data), **self._where)
        self._tags[number] = reply["ETag"]

    async def copy(self, number: int, source: Mapping[str, Any]) -> None:
        """Let S3 copy part `number` from an object that it has; `source` says which one, and what of it."""
        reply = await self._bucket.call("upload_part_copy", self._what, PartNumber=number, **source, **self._where)
        self._tags[number] = reply["CopyPartResult"]["ETag"]

    async def begin(self, part: Callable[[], Coroutine[Any, Any, None]], *, at_once: int) -> None:
        """Let a part go on by itself, after waiting until fewer than `at_once` do. Raises what a part has raised."""
        await self._wait(at_once - 1)
        self._running.add(asyncio.create_task(part()))

    async def complete(self, **condition: str) -> Any:
        """Wait for all parts, and make an object of them."""
        await self._wait(0)
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in sorted(self._tags.items())]
        return await self._bucket.call(
            "complete_multipart_upload", self._what, MultipartUpload={"Parts": parts}, **self._where, **condition
        )

    async def abort(self) -> None:
        """Stop what is under way, and let S3 forget the parts. Raises nothing."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        # Where it fails, the lifecycle rule of the bucket is left to do it.
        with contextlib.suppress(ConnectorError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._bucket.call("abort_multipart_upload", self._what, **self._where)

    async def _wait(self, most: int) -> None:
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


async def send_all(begun: Upload, parts: AsyncIterable[bytes], base: int, at_once: int) -> int:
    """Upload all `parts`, `at_once` at a time while they have `base` bytes, fewer when they grow. Returns their bytes.

    Raises ConnectorError when there are more than S3 takes.
    """
    number = size = 0
    async for part in parts:
        number += 1
        if number > MOST_PARTS:
            raise ConnectorError(
                f"an object of more than {size} bytes is larger than S3 takes in {MOST_PARTS} parts",
                hint="raise part_size, or keep it in several objects",
            )
        room = max(1, at_once * base // max(base, len(part)))
        await begun.begin(partial(begun.send, number, part), at_once=room)
        size += len(part)
    return size


async def cut(chunks: AsyncIterable[bytes], base: int) -> AsyncGenerator[bytes]:
    """The same bytes in parts for an upload: at least one, which may be empty; only the last is short."""
    number = 1
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        # Not when it is just full: the last part must have something in it.
        while len(gathered) > (size := part_size(number, base)):
            with memoryview(gathered) as view:
                part = bytes(view[:size])
            del gathered[:size]
            yield part
            number += 1
    yield bytes(gathered)


async def sliced(data: bytes, size: int) -> AsyncGenerator[bytes]:
    """`data` in parts of `size` bytes; one empty part of nothing."""
    for begin in range(0, max(len(data), 1), size):
        yield data[begin : begin + size]


async def chained(first: Sequence[bytes], rest: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    """What was read already, and then the rest."""
    for part in first:
        yield part
    async for part in rest:
        yield part
