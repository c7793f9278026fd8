"""The checksum that Google keeps with each object."""

import base64
from typing import Any

import google_crc32c

__all__ = ["Checksum"]


class Checksum:
    """The CRC32C of bytes that come one after the other; as text, it is written as Google writes it."""

    def __init__(self, data: bytes = b"") -> None:
        untyped: Any = google_crc32c.Checksum
        self._sum = untyped(data)

    def add(self, data: bytes) -> None:
        """Go on with `data`."""
        self._sum.update(data)

    def __str__(self) -> str:
        """Base64 of the four bytes."""
        digest: bytes = self._sum.digest()
        return base64.b64encode(digest).decode()
