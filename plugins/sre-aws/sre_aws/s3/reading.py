"""Reads, which go on after a broken connection where they were, and never mix two versions of an object."""

import time
from collections.abc import AsyncGenerator

from sre_aws.errors import BROKEN_OFF, FOREIGN
from sre_aws.s3.bucket import Bucket
from sre_aws.s3.expiry import missing, sweep
from sre_aws.s3.metadata import read_head
from sre_core.errors import ConflictError, UnavailableError

__all__ = ["pieces"]

_PIECE = 1 << 20
_CUT = (*BROKEN_OFF, OSError)


async def pieces(bucket: Bucket, key: str) -> AsyncGenerator[bytes]:
    """The object in pieces of at most a mebibyte; none if it is empty.

    After a cut, the rest is asked for as long as the setting `retries` allows. Raises NotFoundError;
    UnavailableError when cut for good; ConflictError when the object was replaced before all of it was read.
    """
    name = bucket.keys.theirs(key)
    what = f"reading {key!r}"
    tag = ""
    at = size = 0
    for retries_left in range(bucket.settings.retries, -1, -1):
        # The rest, of the same object: S3 refuses if it is another one by now.
        rest = {"IfMatch": f'"{tag}"', "Range": f"bytes={at}-"} if at else {}
        try:
            reply = await bucket.call("get_object", what, Key=name, **rest)
        except ConflictError as error:
            if not rest:
                raise
            raise _replaced(bucket, key) from error
        body = reply["Body"]
        try:
            head = read_head(key, reply)
            if not rest:
                if head.expired(time.time()):
                    body.close()
                    await sweep(bucket, head)
                    raise missing(bucket, key)
                tag, size = head.etag, head.info.size
            elif head.etag != tag:
                raise _replaced(bucket, key)
            elif not str(reply.get("ContentRange")).startswith(f"bytes {at}-"):
                raise UnavailableError(f"{what} broke off, and the server cannot go on", hint="read it again")
            while piece := await body.read(_PIECE):
                at += len(piece)
                yield piece
        except FOREIGN as error:
            if not retries_left or not isinstance(error, _CUT):
                raise bucket.client.error(error, f"{what} in bucket {bucket.name!r}") from error
            continue
        finally:
            # Whatever ends this, also a cancellation, frees the connection.
            body.close()
        if at >= size or not retries_left:
            break
    if at < size:
        raise UnavailableError(f"{what} in bucket {bucket.name!r} broke off after {at} of {size} bytes")


def _replaced(bucket: Bucket, key: str) -> ConflictError:
    return ConflictError(f"{key!r} in bucket {bucket.name!r} was replaced while it was read", hint="read it again")
