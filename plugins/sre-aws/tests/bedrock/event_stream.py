"""Event streams as AWS frames them: https://smithy.io/2.0/aws/amazon-eventstream.html."""

import json
import struct
from typing import Any
from zlib import crc32

_TEXT = 7


def frame(payload: Any, **headers: str) -> bytes:
    """One message: lengths and a checksum of them, headers, payload, and a checksum of all."""
    body = json.dumps(payload, ensure_ascii=False).encode()
    names = b"".join(
        struct.pack(">B", len(name)) + name + struct.pack(">BH", _TEXT, len(value)) + value
        for name, value in ((f":{key.replace('_', '-')}".encode(), text.encode()) for key, text in headers.items())
    )
    prelude = struct.pack(">II", 16 + len(names) + len(body), len(names))
    message = prelude + struct.pack(">I", crc32(prelude)) + names + body
    return message + struct.pack(">I", crc32(message))


def event(kind: str, data: Any) -> bytes:
    return frame(data, event_type=kind, content_type="application/json", message_type="event")


def failure(kind: str, message: str) -> bytes:
    return frame({"message": message}, exception_type=kind, content_type="application/json", message_type="exception")
