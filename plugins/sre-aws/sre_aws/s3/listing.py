"""Lists, without what has expired: two runs through the bucket side by side, over the objects and over the notes."""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from sre_aws.s3.bucket import Bucket
from sre_aws.s3.expiry import forget, tidy
from sre_core.connectors.storage import ObjectInfo

__all__ = ["listing"]

_AT_ONCE = 16

T = TypeVar("T")


async def listing(bucket: Bucket, prefix: str) -> AsyncGenerator[ObjectInfo]:
    """The objects below `prefix` in order of key, which for S3 is that of bytes of UTF-8, and so that of Unicode.

    Metadata and content type are not in the lists of S3, and the version is the entity tag.
    """
    async with aclosing(bucket.names(bucket.keys.below(prefix))) as pages, aclosing(_due(bucket, prefix)) as notes:
        # Both begin at once, so that a short list takes no longer for the notes.
        both: list[Any] = await _together((_next(pages), _next(notes)))
        page, note = both
        while page is not None:
            entries = {key: entry for entry in page if (key := bucket.keys.ours(entry["Key"])) is not None}
            doubtful: dict[str, float] = {}
            idle: list[tuple[str, float]] = []
            while note is not None and entries and note[0] <= next(reversed(entries)):
                if note[0] in entries:
                    # The first of several says how long they have been due.
                    doubtful.setdefault(*note)
                else:
                    idle.append(note)
                note = await _next(notes)
            await _forget(bucket, idle)
            looked_at = await _look(bucket, doubtful)
            for key, entry in entries.items():
                info = looked_at[key] if key in looked_at else _info(key, entry)
                if info is not None:
                    yield info
            page = await _next(pages)
        while note is not None:
            idle = [note]
            while (note := await _next(notes)) is not None and len(idle) < _AT_ONCE:
                idle.append(note)
            await _forget(bucket, idle)


async def _next(items: AsyncGenerator[T]) -> T | None:
    return await anext(items, None)


async def _due(bucket: Bucket, prefix: str) -> AsyncGenerator[tuple[str, float]]:
    """The notes about objects below `prefix` whose time has come, in order of key."""
    async with aclosing(bucket.names(bucket.keys.notes_below(prefix))) as pages:
        async for page in pages:
            now = time.time()
            for entry in page:
                note = bucket.keys.read_note(entry["Key"])
                if note is not None and note[1] <= now:
                    yield note


async def _look(bucket: Bucket, doubtful: Mapping[str, float]) -> dict[str, ObjectInfo | None]:
    """What is known of these objects, and None of those that are gone."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def look(key: str, due: float) -> ObjectInfo | None:
        async with room:
            head = await tidy(bucket, key, due)
        return None if head is None else head.info

    found = await _together(look(key, due) for key, due in doubtful.items())
    return dict(zip(doubtful, found, strict=True))


async def _forget(bucket: Bucket, idle: Sequence[tuple[str, float]]) -> None:
    """Tidy up notes about what is gone."""
    for begin in range(0, len(idle), _AT_ONCE):
        await _together(forget(bucket, *note) for note in idle[begin : begin + _AT_ONCE])


async def _together(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What all `calls` return, in their order. When one raises, or this is cancelled, no other goes on afterwards."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _info(key: str, entry: Mapping[str, Any]) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=int(entry["Size"]),
        version=str(entry["ETag"]).strip('"'),
        modified=entry["LastModified"].timestamp(),
    )
