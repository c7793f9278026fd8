"""Objects that vanish: when they do is in their metadata, and a note beside them lets lists find out."""

import math
import time
from contextlib import suppress

from sre_aws.s3.bucket import Bucket
from sre_aws.s3.metadata import Head, headers_again
from sre_aws.s3.parts import copy_ranges
from sre_aws.s3.upload import upload
from sre_core.errors import ConfigError, ConflictError, ConnectorError, NotFoundError

__all__ = ["expire", "forget", "missing", "sweep", "tidy"]

_TRIES = 8
_GRACE = 60.0
"""Seconds that an expired object lies there before it is deleted: the clocks of those who may prolong it differ."""

_STALE = 86_400.0
"""Seconds after which a note that came to nothing is deleted: whoever wrote it has long put the time on its object."""


def missing(bucket: Bucket, key: str) -> NotFoundError:
    """The error for an object that is not there."""
    return NotFoundError(
        f"there is no object {key!r} in bucket {bucket.name!r}", hint="list its folder to see what is there"
    )


async def expire(bucket: Bucket, key: str, seconds: float | None) -> None:
    """Let an object vanish after `seconds`; None means never. It keeps its version.

    Raises NotFoundError; ConflictError when others write it all the time; ConfigError for what is no time.
    """
    if seconds is not None and not math.isfinite(seconds):
        raise ConfigError(f"an object cannot expire after {seconds} seconds", hint="None means never")
    # Rounded as it is written down, so that the note is found again by it.
    expires = None if seconds is None else round(max(0.0, time.time() + seconds), 3)
    noted = False
    for _ in range(_TRIES):
        head = await bucket.head(key)
        if head is not None and head.info.expires == expires:
            # Maybe since just now, if the answer to a copy was lost.
            return
        if head is None or head.expired(time.time()):
            raise missing(bucket, key)
        if expires is not None and not noted:
            # First: an object that expires always has a note, though a note need not have an object.
            await bucket.put_note(key, expires)
            noted = True
        try:
            await _copy_onto_itself(bucket, head, expires)
        except (ConflictError, NotFoundError):
            # It was written or deleted in between.
            continue
        if head.info.expires is not None:
            await _drop(bucket, key, head.info.expires)
        return
    raise ConflictError(f"{key!r} in bucket {bucket.name!r} is written all the time", hint="try again later")


async def _copy_onto_itself(bucket: Bucket, head: Head, expires: float | None) -> None:
    """Give exactly this object another time of expiry.

    Always in parts, also a small object: that gives it an entity tag that no ordinary write gives, so that who
    deletes the expired object by its tag never hits one that was written since, not even with the same bytes.
    """
    tag = f'"{head.etag}"'
    name = bucket.keys.theirs(head.info.key)
    source = {"CopySource": {"Bucket": bucket.name, "Key": name}, "CopySourceIfMatch": tag}
    ranges = copy_ranges(head.info.size)
    async with upload(bucket, head.info.key, headers_again(head, expires)) as copy:
        if not ranges:
            await copy.send(b"")
        for first, last in ranges:
            part = {} if len(ranges) == 1 else {"CopySourceRange": f"bytes={first}-{last}"}
            await copy.copy({**source, **part})
        await copy.arrive()
        # The tag tells no write of the same bytes with other metadata.
        if not head.is_still(await bucket.head(head.info.key)):
            raise ConflictError(f"{head.info.key!r} was replaced while it was copied")
        await copy.complete(IfMatch=tag)


async def sweep(bucket: Bucket, head: Head) -> bool:
    """Delete an object that expired a while ago, and its note; never another one in its place. Whether it is gone.

    Raises nothing: the object counts as missing all the same.
    """
    expires = head.info.expires
    if expires is None or expires > time.time() - _GRACE:
        return False
    what = f"deleting the expired {head.info.key!r}"
    with suppress(ConnectorError):
        if await bucket.conditions.heeded("delete"):
            await bucket.remove(what, bucket.keys.theirs(head.info.key), IfMatch=f'"{head.etag}"')
            await bucket.remove(what, bucket.keys.note(head.info.key, expires))
            return True
    return False


async def tidy(bucket: Bucket, key: str, due: float) -> Head | None:
    """Look at an object whose note said that it may have expired at `due`: it, if it is still there.

    Deletes what is of no use any more.
    """
    head = await bucket.head(key)
    if head is not None and head.expired(time.time()):
        await sweep(bucket, head)
        return None
    await forget(bucket, key, due)
    return head


async def forget(bucket: Bucket, key: str, due: float) -> None:
    """Delete a note about an object that is gone, or has another time by now, unless it is fresh. Raises nothing."""
    if due < time.time() - _STALE:
        await _drop(bucket, key, due)


async def _drop(bucket: Bucket, key: str, due: float) -> None:
    """Delete a note. Raises nothing: a list finds out that it came to nothing."""
    with suppress(ConnectorError):
        await bucket.remove(f"tidying up after {key!r}", bucket.keys.note(key, due))
