"""The checksum that Google keeps with each object."""

import asyncio
import base64
from typing import Any, Self

import google_crc32c

__all__ = ["Checksum"]

_STEP = 1 << 20  # bytes that keep everybody else waiting for about a millisecond


class Checksum:
    """The CRC32C of bytes that come one after the other; as text, it is written as Google writes it."""

    def __init__(self, data: bytes = b"") -> None:
        untyped: Any = google_crc32c.Checksum
        self._sum = untyped(data)

    def add(self, data: bytes) -> None:
        """Go on with `data`."""
        self._sum.update(data)

    async def add_many(self, data: bytes) -> Self:
        """Go on with `data`, however much it is: in steps, between which others run."""
        self.add(data[:_STEP])
        for begin in range(_STEP, len(data), _STEP):
            await asyncio.sleep(0)
            self.add(data[begin : begin + _STEP])
        return self

    def __str__(self) -> str:
        """Base64 of the four bytes."""
        digest: bytes = self._sum.digest()
        return base64.b64encode(digest).decode()
