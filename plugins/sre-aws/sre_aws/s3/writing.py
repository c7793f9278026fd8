"""Writes: plain, on condition of a version, and from a stream."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from sre_aws.s3.bucket import Bucket, written_at
from sre_aws.s3.metadata import Head, headers_for
from sre_aws.s3.parts import other_form
from sre_aws.s3.upload import Upload, cut, upload
from sre_core.connectors.storage import NEW, ObjectInfo
from sre_core.errors import ConflictError, NotFoundError

__all__ = ["Writer"]

_PLAIN = 64 << 20
"""Bytes up to which an object that is in memory is uploaded in one piece."""

_TRIES = 8


@dataclass(frozen=True, slots=True)
class _New:
    """An object about to be written."""

    key: str
    content_type: str
    metadata: Mapping[str, str]
    version: str
    described: Mapping[str, Any]

    def written(self, size: int, modified: float) -> ObjectInfo:
        """What is known of it afterwards."""
        return ObjectInfo(
            key=self.key,
            size=size,
            version=self.version,
            modified=modified,
            content_type=self.content_type,
            metadata=self.metadata,
        )


class Writer:
    """Writes the objects of a bucket.

    A version is a random word in the metadata, since the entity tag of S3 stays when the same bytes are written
    again. Conditions still go by the tag, which is all that S3 compares: the version is looked up with the tag that
    has it, and the write is for that tag alone. So that the tag changes with every conditional write, one of the same
    bytes is uploaded in another form, which gives them another tag.

    There are two forms of small objects, so a tag can come back. If it does between the look and the write, S3
    replaces a later version: one of the same bytes, of which nothing but metadata and content type are lost.
    """

    def __init__(self, bucket: Bucket) -> None:
        """Writes into this bucket."""
        self._bucket = bucket

    async def write(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str,
        metadata: Mapping[str, str] | None,
        if_version: str | None,
    ) -> ObjectInfo:
        """Store an object. Raises ConflictError when `if_version` is given, and is not what is there."""
        new = _new(key, content_type, metadata)
        self._bucket.keys.theirs(key)
        part = None if len(data) <= _PLAIN else self._bucket.settings.part_size
        if if_version is None:
            return new.written(len(data), await self._upload(new, data, part))
        return await self._write_if(new, data, part, if_version)

    async def write_stream(
        self, key: str, chunks: AsyncIterable[bytes], *, content_type: str, metadata: Mapping[str, str] | None
    ) -> ObjectInfo:
        """Store an object from pieces; `chunks` are read here, in the task that calls."""
        new = _new(key, content_type, metadata)
        self._bucket.keys.theirs(key)
        async with aclosing(cut(chunks, self._bucket.settings.part_size)) as parts:
            part, whole = await anext(parts)
            if whole:
                return new.written(len(part), await self._upload(new, part, None))
            async with upload(self._bucket, key, new.described) as begun:
                await begun.send(part)
                async for part, _ in parts:
                    await begun.send(part)
                return new.written(begun.size, await self._complete(new, begun))

    async def _upload(
        self, new: _New, data: bytes, part: int | None, *, over: Head | None = None, **condition: str
    ) -> float:
        """Upload in one piece, or in parts of `part` bytes. Returns when it was."""
        if part is None:
            return written_at(await self._bucket.put(new.key, data, new.described, **condition))
        async with upload(self._bucket, new.key, new.described) as begun:
            for begin in range(0, max(len(data), 1), part):
                await begun.send(data[begin : begin + part])
            await begun.arrive()
            # The parts took their time, in which the tag may have gone and come back.
            if over is not None and not over.is_still(await self._bucket.head(new.key)):
                raise ConflictError(f"{new.key!r} was replaced while its parts were uploaded")
            return await self._complete(new, begun, **condition)

    async def _complete(self, new: _New, begun: Upload, **condition: str) -> float:
        """Make an object of the parts. Returns when it was."""
        try:
            return written_at(await begun.complete(**condition))
        except (ConflictError, NotFoundError):
            # When an answer is lost, the driver tries again, and the upload is no more.
            found = await self._bucket.head(new.key)
            if found is None or found.info.version != new.version:
                raise
            return found.info.modified

    async def _write_if(self, new: _New, data: bytes, part: int | None, version: str) -> ObjectInfo:
        conditions = self._bucket.conditions
        # A new object is mostly new: only when S3 says no is it worth a look.
        found = None if version == NEW else await self._bucket.head(new.key)
        for _ in range(_TRIES):
            self._compare(new.key, found, version)
            form, condition = part, {"IfNoneMatch": "*"}
            if found is not None:
                form = await asyncio.to_thread(other_form, data, found.etag, part)
                condition = {"IfMatch": f'"{found.etag}"'}
            await conditions.demand("put" if form is None else "complete")
            try:
                return new.written(len(data), await self._upload(new, data, form, over=found, **condition))
            except (ConflictError, NotFoundError):
                # Missing is what S3 calls a tag that no object has any more.
                found = await self._bucket.head(new.key)
                if found is not None and found.info.version == new.version:
                    # It was written, and the driver has tried again since the answer was lost.
                    return new.written(len(data), found.info.modified)
        raise ConflictError(f"{new.key!r} is written all the time", hint="try again later")

    def _compare(self, key: str, found: Head | None, version: str) -> None:
        """Raises ConflictError unless `version` is what was found."""
        live = found is not None and not found.expired(time.time())
        if version == NEW and live:
            raise ConflictError(f"{key!r} exists already", hint="read it, and decide from what it holds")
        if version != NEW and not (found is not None and live and found.has(version)):
            raise ConflictError(
                f"{key!r} is not in version {version!r} any more",
                hint="read it again, and decide from what it holds now",
            )


def _new(key: str, content_type: str, metadata: Mapping[str, str] | None) -> _New:
    """Raises ConfigError for what S3 cannot keep."""
    version = secrets.token_hex(8)
    return _New(key, content_type, dict(metadata or {}), version, headers_for(content_type, metadata, version))
