"""The objects of one bucket: what a storage does, as calls of Google's JSON API.

Google's own client library blocks a thread for each call, a call of it cannot be ended from outside, and an upload in
pieces does not tell which version it made. So requests go out over aiohttp, and the library signs links, see links.py.
"""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from sre_core.connectors.storage import NEW, ObjectInfo
from sre_core.errors import (
    ConflictError,
    ConnectorError,
    DeadlineError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
)
from sre_gcp.api import Api, Request
from sre_gcp.checksum import Checksum
from sre_gcp.downloads import check_offset, check_sum, generation_of, pinned
from sre_gcp.names import Names
from sre_gcp.objects import (
    FIELDS,
    Stored,
    condition,
    description,
    exactly,
    expiry_change,
    first_condition,
    stored,
    untouched,
)
from sre_gcp.settings import GcsSettings
from sre_gcp.uploads import UploadSession, described, multipart

__all__ = ["Bucket"]

_PAGE = 1000
_PIECE = 1 << 20  # bytes of a piece that is read
_ATTEMPTS = 8  # looks at an object that others keep changing
_FAREWELL = 5.0  # seconds for the end of an upload that failed
_GENERATION = re.compile(r"[1-9][0-9]{0,18}")  # 0 would mean that there must be no object


class Bucket:
    """Objects by their keys."""

    def __init__(self, api: Api, settings: GcsSettings) -> None:
        self._api = api
        self._names = Names(settings.prefix)
        self._piece_bytes = settings.piece_bytes
        self._farewells: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Close all connections, once uploads that were given up are cancelled."""
        try:
            if self._farewells:
                await asyncio.wait(self._farewells)
        finally:
            await self._api.stop()

    async def check(self) -> None:
        """Raise what keeps us from using the bucket. Needs no right but to list objects."""
        await self._page(f"looking into {self._api.where}", {"maxResults": "1", "prefix": self._names.folder("")})

    def name(self, key: str) -> str:
        """The name of the object with this key."""
        return self._names.name(key)

    async def stat(self, key: str) -> ObjectInfo:
        """What is known of an object."""
        found = await self._find(key)
        if found is None or found.expired:
            raise self._missing(key)
        return found.info

    async def delete(self, key: str) -> None:
        """Remove an object."""
        path = self._path(self._names.name(key))
        await self._api.ask(
            Request(what=f"deleting {key!r}", method="DELETE", path=path, accepted=frozenset({404, 410}))
        )

    # Reading

    async def read(self, key: str) -> bytes:
        """The whole object."""
        request = self._download(key)
        for _ in range(_ATTEMPTS):
            try:
                reply = await self._api.ask(request)
            except NotFoundError as error:
                raise self._missing(key) from error
            generation = generation_of(reply.headers, request.what)
            if untouched(reply.headers) or (await self.stat(key)).version == generation:
                check_sum(await Checksum().add_many(reply.body), reply.headers, request.what)
                return reply.body
        raise UnavailableError(f"{request.what} failed: others keep writing it", hint="try again")

    async def read_stream(self, key: str) -> AsyncGenerator[bytes]:
        """The object in pieces. When a connection breaks, another one goes on where it ended."""
        request, checksum = self._download(key), Checksum()
        current, offset, attempt = "", 0, 0
        while True:
            try:
                async with self._api.open(pinned(request, current, offset)) as response:
                    headers = response.headers
                    if not current and untouched(headers):
                        current = generation_of(headers, request.what)
                    if current:
                        if check_offset(response.status, headers, offset, request.what):
                            async for piece in response.content.iter_chunked(_PIECE):
                                offset, attempt = offset + len(piece), 0
                                checksum.add(piece)
                                yield piece
                        break
                # Not before the connection is free again: there may be no other, and each waits for one of the rest.
                current = (await self.stat(key)).version
            except NotFoundError as error:
                if offset:
                    raise UnavailableError(f"{key!r} was replaced while it was read", hint="read it again") from error
                if not current:
                    raise self._missing(key) from error
                current = ""  # replaced before its first byte came
            except (UnavailableError, RateLimitedError, DeadlineError) as error:
                await self._api.pause(request, error, attempt)
                attempt += 1
        check_sum(checksum, headers, request.what)

    def _download(self, key: str) -> Request:
        return Request(
            what=f"reading {key!r}",
            method="GET",
            path=self._path(self._names.name(key)),
            params={"alt": "media"},
            # Else an object that is kept compressed is decompressed on the way.
            headers={"Accept-Encoding": "gzip"},
        )

    # Writing

    async def write(
        self, key: str, data: bytes, *, content_type: str, metadata: Mapping[str, str] | None, if_version: str | None
    ) -> ObjectInfo:
        """Store an object, on a condition or on none."""
        what = f"writing {key!r}"
        told = description(self._names.name(key), content_type, metadata)
        changed = ConflictError(
            f"{key!r} exists already" if if_version == NEW else f"{key!r} is not in version {if_version!r} any more",
            hint="read it again, and decide from what it holds now",
        )
        if if_version and not _GENERATION.fullmatch(if_version):
            raise changed
        wanted: Mapping[str, str] | None = first_condition(if_version)
        for _ in range(_ATTEMPTS):
            try:
                return await self._put(key, what, told, data, wanted or {})
            except ConflictError as error:
                if if_version is None:
                    raise
                wanted = condition(if_version, await self._find(key))
                if wanted is None:
                    raise changed from error
        raise changed

    async def _put(
        self, key: str, what: str, told: Mapping[str, Any], data: bytes, conditions: Mapping[str, str]
    ) -> ObjectInfo:
        """Store an object in one request, or in pieces when it has more than one."""
        if len(data) > self._piece_bytes:
            async with aclosing(_cut(data, self._piece_bytes)) as pieces:
                return await self._put_pieces(key, what, told, pieces, conditions)
        # With it, they check what arrives.
        content_type, body = multipart({**told, "crc32c": str(await Checksum().add_many(data))}, data)
        reply = await self._api.ask(
            Request(
                what=what,
                method="POST",
                path=f"/upload/storage/v1/b/{self._api.bucket}/o",
                params={"uploadType": "multipart", "fields": FIELDS, **conditions},
                headers={"Content-Type": content_type},
                body=body,
                repeatable=not conditions,
            )
        )
        return stored(described(reply, what), key).info

    async def write_stream(
        self, key: str, chunks: AsyncIterable[bytes], *, content_type: str, metadata: Mapping[str, str] | None
    ) -> ObjectInfo:
        """Store an object from pieces."""
        what, told = f"writing {key!r}", description(self._names.name(key), content_type, metadata)
        items, head = aiter(chunks), bytearray()
        async for chunk in items:
            head += chunk
            if len(head) > self._piece_bytes:
                async with aclosing(_chained(head, items)) as pieces:
                    return await self._put_pieces(key, what, told, pieces, {})
        return await self._put(key, what, told, bytes(head), {})

    async def _put_pieces(
        self,
        key: str,
        what: str,
        told: Mapping[str, Any],
        chunks: AsyncIterable[bytes],
        conditions: Mapping[str, str],
    ) -> ObjectInfo:
        upload = UploadSession(self._api, what, piece_bytes=self._piece_bytes)
        try:
            await upload.open(told, {"fields": FIELDS, **conditions})
            async for chunk in chunks:
                await upload.add(chunk)
            found = stored(await upload.finish(), key)
        except BaseException:
            await self._give_up(upload)
            raise
        if found.info.size != upload.size or found.crc32c not in {"", str(upload.checksum)}:
            await self._discard(found)
            raise UnavailableError(f"{what} failed: other bytes arrived than were sent", hint="write it again")
        return found.info

    async def _give_up(self, upload: UploadSession) -> None:
        """Cancel an upload, even when this task is being cancelled itself."""

        async def farewell() -> None:
            try:
                async with asyncio.timeout(_FAREWELL):
                    await upload.cancel()
            except (ConnectorError, TimeoutError):
                pass  # it vanishes by itself within a week

        task = asyncio.create_task(farewell())
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)
        await asyncio.shield(task)

    async def _discard(self, found: Stored) -> None:
        """Remove what was damaged on the way, unless it was replaced since."""
        await self._api.ask(
            Request(
                what=f"deleting {found.info.key!r}",
                method="DELETE",
                path=self._path(self._names.name(found.info.key)),
                params={"ifGenerationMatch": found.info.version},
                accepted=frozenset({404, 412}),
            )
        )

    # Descriptions

    async def expire(self, key: str, expires: float | None) -> None:
        """Give an object an expiry, in seconds since the epoch, or take it away."""
        what = f"setting the expiry of {key!r}"
        for _ in range(_ATTEMPTS):
            found = await self._find(key)
            if found is None or found.expired:
                raise self._missing(key)
            try:
                await self._api.ask(
                    Request(
                        what=what,
                        method="PATCH",
                        path=self._path(self._names.name(key)),
                        # Of this object, and not of one that has replaced it.
                        params=exactly(found),
                        headers={"Content-Type": "application/json; charset=UTF-8"},
                        body=json.dumps(expiry_change(found, expires)).encode(),
                    )
                )
            except (ConflictError, NotFoundError):
                continue
            return
        raise ConflictError(f"{what} failed: others keep changing it", hint="try again")

    async def list(self, prefix: str) -> AsyncGenerator[ObjectInfo]:
        """The objects below `prefix`, in order of key."""
        what = f"listing {prefix!r}"
        folder = self._names.folder(prefix)
        params = {
            "prefix": folder,
            "maxResults": str(_PAGE),
            "fields": f"kind,items({FIELDS}),nextPageToken",
        }
        while True:
            page = await self._page(what, params)
            for item in page.get("items", ()):
                found = self._listed(item)
                if found is not None and not found.expired:
                    yield found.info
            if not page.get("nextPageToken"):
                return
            params["pageToken"] = page["nextPageToken"]

    def _listed(self, item: Any) -> Stored | None:
        key = self._names.key(str(item.get("name", ""))) if isinstance(item, dict) else None
        return None if key is None else stored(item, key)

    async def _page(self, what: str, params: Mapping[str, str]) -> dict[str, Any]:
        try:
            reply = await self._api.ask(
                Request(what=what, method="GET", path=f"/storage/v1/b/{self._api.bucket}/o", params=params)
            )
        except NotFoundError as error:
            raise NotFoundError(f"there is no {self._api.where}", hint="make it, or check `bucket`") from error
        page = described(reply, what)
        if not isinstance(page, dict) or page.get("kind") != "storage#objects":
            raise ConnectorError(f"{what} failed: the reply is no list of objects", hint="check `endpoint`")
        return page

    async def _find(self, key: str) -> Stored | None:
        """An object as it is now, expired or not; None when there is none."""
        what = f"looking for {key!r}"
        try:
            reply = await self._api.ask(
                Request(what=what, method="GET", path=self._path(self._names.name(key)), params={"fields": FIELDS})
            )
        except NotFoundError:
            return None
        return stored(described(reply, what), key)

    def _path(self, name: str) -> str:
        return f"/storage/v1/b/{self._api.bucket}/o/{quote(name, safe='')}"

    def _missing(self, key: str) -> NotFoundError:
        return NotFoundError(
            f"there is no object {key!r} in {self._api.where}", hint="list its folder to see what is there"
        )


async def _cut(data: bytes, size: int) -> AsyncGenerator[bytes]:
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


async def _chained(head: bytearray, rest: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    yield bytes(head)
    head.clear()
    async for chunk in rest:
        yield chunk
