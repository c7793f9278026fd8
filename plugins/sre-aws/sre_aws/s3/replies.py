"""Which replies are those of S3: the driver reads any well-formed page, or none at all, as an empty reply."""

from collections.abc import Mapping
from typing import Any

from sre_core.errors import ConnectorError

__all__ = ["check_reply"]

_NO_CONTENT = 204

# What S3 never leaves out, by operation. `read_head` looks at what GetObject and HeadObject reply.
_NEEDED: Mapping[str, str] = {
    "complete_multipart_upload": "ETag",
    "create_multipart_upload": "UploadId",
    "list_objects_v2": "IsTruncated",
    "put_object": "ETag",
    "upload_part": "ETag",
    "upload_part_copy": "ETag",
}


def check_reply(operation: str, what: str, reply: Mapping[str, Any]) -> None:
    """Raises ConnectorError when the reply is not one of S3, as that of a proxy which lets nobody through."""
    lacking = _lacking(operation, reply)
    if lacking is not None:
        raise ConnectorError(f"{what}: the reply is not of S3: it lacks {lacking}", hint="check url")


def _lacking(operation: str, reply: Mapping[str, Any]) -> str | None:
    if operation == "delete_object":
        # It has nothing but its status to be known by.
        status = reply["ResponseMetadata"]["HTTPStatusCode"]
        return None if status == _NO_CONTENT else f"status {_NO_CONTENT}"
    needed = _NEEDED.get(operation)
    if needed is None:
        return None
    # Not just false: an empty text is the mark of nobody, and IsTruncated mostly is false.
    found = reply.get("CopyPartResult", {}) if operation == "upload_part_copy" else reply
    return needed if found.get(needed, "") == "" else None
