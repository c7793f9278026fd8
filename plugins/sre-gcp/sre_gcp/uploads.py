"""Ways to send an object: in one request with its description, or piece by piece in a session of its own."""

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sre_core.errors import ConnectorError, NotFoundError, UnavailableError
from sre_gcp.api import Api, Reply, Request
from sre_gcp.checksum import Checksum

__all__ = ["UploadSession", "described", "multipart"]

_MORE = 308  # "resume incomplete": what they answer to a piece that is not the last
_CANCELLED = 499
_OPEN = "*"  # the size of an upload that goes on


def multipart(told: Mapping[str, Any], data: bytes) -> tuple[str, bytes]:
    """Content type and body of a request that holds a description and an object."""
    border = secrets.token_hex(16)
    head = (
        f"--{border}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n{json.dumps(told)}\r\n"
        f"--{border}\r\nContent-Type: {_kind(told)}\r\n\r\n"
    )
    return f"multipart/related; boundary={border}", b"".join((head.encode(), data, f"\r\n--{border}--\r\n".encode()))


def described(reply: Reply, what: str) -> Any:
    """The JSON of a reply. Raises ConnectorError when it holds none."""
    try:
        return json.loads(reply.body)
    except ValueError as error:
        raise ConnectorError(f"{what} failed: the reply is no JSON", hint="check the setting `endpoint`") from error


class UploadSession:
    """An upload in pieces: nothing is seen of it before `finish`. Holds one piece in memory.

    A piece that was sent in vain is sent again; they ignore what they have already. The address of a session lets
    anybody go on with it, so it is told to nobody.
    """

    def __init__(self, api: Api, what: str, *, piece_bytes: int) -> None:
        self._api = api
        self._what = what
        self._piece_bytes = piece_bytes
        self._path = ""
        self._kind = ""
        self._held = bytearray()
        self._sent = 0
        self.checksum = Checksum()

    @property
    def size(self) -> int:
        """How many bytes were added."""
        return self._sent + len(self._held)

    async def open(self, told: Mapping[str, Any], params: Mapping[str, str]) -> None:
        """Begin. `told` describes the object, `params` are those of the request."""
        self._kind = _kind(told)
        reply = await self._api.ask(
            Request(
                what=self._what,
                method="POST",
                path=f"/upload/storage/v1/b/{self._api.bucket}/o",
                params={"uploadType": "resumable", **params},
                headers={"Content-Type": "application/json; charset=UTF-8", "X-Upload-Content-Type": self._kind},
                body=json.dumps(told).encode(),
            )
        )
        location = urlsplit(reply.headers.get("Location", ""))
        if not location.path.startswith("/"):
            raise ConnectorError(f"{self._what} failed: the reply names no session", hint="check `endpoint`")
        # At the endpoint that is configured, which may be a proxy that they know nothing of.
        self._path = f"{location.path}?{location.query}"

    async def add(self, data: bytes) -> None:
        """Take more bytes, and send what fills a piece; the last piece is kept for `finish`."""
        await self.checksum.add_many(data)
        self._held += data
        while len(self._held) > self._piece_bytes:
            piece = bytes(self._held[: self._piece_bytes])
            reply = await self._send(piece, total=_OPEN)
            if reply.status != _MORE:
                raise ConnectorError(f"{self._what} failed: the upload was closed before its end", hint="try again")
            self._take_off(reply)

    async def finish(self) -> Any:
        """Send the rest; returns the description of the object, which is there from now on.

        They compare the checksum of the whole first, and keep the old object when it is another.
        """
        total = self.size
        while True:
            reply = await self._send(bytes(self._held), total=str(total))
            if reply.status != _MORE:
                return described(reply, self._what)
            self._take_off(reply)

    async def cancel(self) -> None:
        """Throw away what was sent. Errors are for others to see: what is left over vanishes within a week."""
        if self._path:
            gone = Request(what=self._what, method="DELETE", path=self._path, accepted=frozenset({_CANCELLED}))
            await self._api.ask(gone)

    async def _send(self, piece: bytes, *, total: str) -> Reply:
        span = f"{self._sent}-{self._sent + len(piece) - 1}" if piece else "*"
        headers = {"Content-Range": f"bytes {span}/{total}", "Content-Type": self._kind}
        if total != _OPEN:
            headers["X-Goog-Hash"] = f"crc32c={self.checksum}"
        try:
            return await self._api.ask(
                Request(
                    what=self._what,
                    method="PUT",
                    path=self._path,
                    headers=headers,
                    body=piece,
                    accepted=frozenset({_MORE}),
                )
            )
        except NotFoundError as error:
            raise UnavailableError(f"{self._what} failed: the upload was lost", hint="write it again") from error

    def _take_off(self, reply: Reply) -> None:
        """Forget the bytes that they have. Raises UnavailableError when they took none, or lost some."""
        found = re.fullmatch(r"bytes=0-(\d+)", reply.headers.get("Range", ""))
        kept = int(found[1]) + 1 if found else 0
        if not self._sent < kept <= self._sent + len(self._held):
            raise UnavailableError(
                f"{self._what} failed: {kept} bytes arrived where {self._sent} had before", hint="write it again"
            )
        del self._held[: kept - self._sent]
        self._sent = kept


def _kind(told: Mapping[str, Any]) -> str:
    """The content type as a header may hold it; the description tells the true one."""
    kind: str = told["contentType"]
    return kind if kind.isascii() and kind.isprintable() else "application/octet-stream"
