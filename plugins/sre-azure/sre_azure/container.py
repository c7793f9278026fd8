"""The objects of one container: what a storage does, as calls of Azure's client library."""

import asyncio
import base64
import uuid
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from contextlib import aclosing
from functools import lru_cache
from typing import Any

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, ContentSettings
from azure.storage.blob.aio import BlobClient

from sre_azure.blobs import Stored, etag_of, expiry_metadata, stored, version_of
from sre_azure.credentials import Access
from sre_azure.errors import means_container, translated
from sre_azure.metadata import packed
from sre_azure.names import Names
from sre_azure.order import InOrder
from sre_azure.settings import AzureSettings
from sre_core.connectors.storage import NEW, ObjectInfo
from sre_core.errors import ConfigError, ConflictError, ConnectorError, NotFoundError, UnavailableError

__all__ = ["Container"]

_PAGE = 1000
_CLIENTS = 128
_ATTEMPTS = 8  # looks at an object that others keep changing
_SWEPT_AT_ONCE = 16


class Container:
    """Objects by their keys. What has expired is removed when it is met a minute later."""

    def __init__(self, access: Access, settings: AzureSettings) -> None:
        self._client = access.service.get_container_client(settings.container)
        # One takes a quarter of a small operation to make, and 32 KB; who writes an object often reads it next.
        self._blob = lru_cache(maxsize=_CLIENTS)(self._client.get_blob_client)
        self._names = Names(settings.prefix)
        self._piece_bytes = settings.piece_bytes
        self.where = f"container {settings.container!r} at {_without_query(access.service.url)}"

    async def check(self) -> None:
        """Raise what keeps us from using the container. Needs no right but to list blobs."""
        with translated(f"looking into {self.where}", self.where):
            pages = self._client.list_blobs(name_starts_with=self._names.folder(""), results_per_page=1).by_page()
            async for page in pages:
                _ = [blob async for blob in page]
                return

    def blob(self, key: str) -> BlobClient:
        """A client of one blob."""
        return self._blob(self._names.name(key))

    async def stat(self, key: str) -> ObjectInfo:
        """What is known of an object."""
        return (await self._living(key)).info

    async def delete(self, key: str) -> None:
        """Remove an object."""
        blob = self.blob(key)
        try:
            with translated(f"deleting {key!r}", self.where):
                await blob.delete_blob(delete_snapshots="include")
        except NotFoundError as error:
            if means_container(error):
                raise

    # Reading

    async def read(self, key: str) -> bytes:
        """The whole object."""
        for _ in range(_ATTEMPTS):
            download = await self._download(key)
            try:
                return b"".join([piece async for piece in self._pieces(key, download)])
            except ConflictError:
                continue  # it was replaced after its first piece
        raise UnavailableError(f"reading {key!r} failed: others keep writing it", hint="try again")

    async def read_stream(self, key: str) -> AsyncGenerator[bytes]:
        """The object in pieces, each asked for when the one before was taken, all of one version."""
        download = await self._download(key)
        try:
            async with aclosing(self._pieces(key, download)) as pieces:
                async for piece in pieces:
                    yield piece
        except (ConflictError, NotFoundError) as error:
            raise UnavailableError(
                f"{key!r} was replaced, or got another expiry, while it was read", hint="read it again"
            ) from error

    async def _pieces(self, key: str, download: Any) -> AsyncGenerator[bytes]:
        # Their readall() makes tasks, which go on when who reads is cancelled.
        chunks = download.chunks()
        while True:
            with translated(f"reading {key!r}", self.where):
                piece: bytes | None = await anext(chunks, None)
            if piece is None:
                return
            yield piece

    async def _download(self, key: str) -> Any:
        """A download that has its first piece. Raises NotFoundError, also when the object has expired."""
        blob = self.blob(key)
        try:
            with translated(f"reading {key!r}", self.where):
                download = await blob.download_blob(max_concurrency=1, decompress=False)
        except NotFoundError as error:
            if means_container(error):
                raise
            raise self._missing(key) from error
        found = stored(download.properties, key)
        if found.expired:
            await self._sweep(found)
            raise self._missing(key)
        return download

    # Writing

    async def write(
        self, key: str, data: bytes, *, content_type: str, metadata: Mapping[str, str] | None, if_version: str | None
    ) -> ObjectInfo:
        """Store an object, on a condition or on none."""
        changed = ConflictError(
            f"{key!r} exists already" if if_version == NEW else f"{key!r} is not in version {if_version!r} any more",
            hint="read it again, and decide from what it holds now",
        )
        wanted = _conditions(if_version)
        for _ in range(_ATTEMPTS):
            if wanted is None:
                raise changed
            try:
                return await self._put(key, data, content_type, metadata, wanted)
            except ConflictError as error:
                if if_version is None:
                    continue  # another write took its blocks away; it is as if this one came later
                found = await self._find(key) if if_version == NEW else None
                if if_version != NEW or (found is not None and not found.expired):
                    raise changed from error
                wanted = _conditions(NEW if found is None else found.etag)
        raise ConflictError(f"writing {key!r} failed: others keep writing it", hint="try again")

    async def _put(
        self,
        key: str,
        data: bytes,
        content_type: str,
        metadata: Mapping[str, str] | None,
        conditions: Mapping[str, Any],
    ) -> ObjectInfo:
        """Store an object in one request, or in blocks when it has more than one piece."""
        if len(data) > self._piece_bytes:
            async with aclosing(_cut(data, self._piece_bytes)) as pieces:
                return await self._put_blocks(key, pieces, content_type, metadata, conditions)
        blob = self.blob(key)
        with translated(f"writing {key!r}", self.where):
            reply = await blob.upload_blob(
                data,
                length=len(data),
                overwrite=True,
                metadata=packed(metadata),
                content_settings=_content(content_type),
                **conditions,
            )
            return _written(key, len(data), content_type, metadata, reply)

    async def write_stream(
        self, key: str, chunks: AsyncIterable[bytes], *, content_type: str, metadata: Mapping[str, str] | None
    ) -> ObjectInfo:
        """Store an object from pieces."""
        return await self._put_blocks(key, chunks, content_type, metadata, {})

    async def _put_blocks(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        content_type: str,
        metadata: Mapping[str, str] | None,
        conditions: Mapping[str, Any],
    ) -> ObjectInfo:
        """Send blocks, which nobody sees, and make them the object when all are there.

        Blocks that never become one vanish within a week, or with the next write.
        """
        blob, what = self.blob(key), f"writing {key!r}"
        # Their library numbers blocks from 0, so that two who write one object would mix theirs.
        writer, blocks, size, held = uuid.uuid4().hex, list[BlobBlock](), 0, bytearray()

        async def send(piece: bytes) -> None:
            block = base64.b64encode(f"{writer}{len(blocks):08}".encode()).decode()
            with translated(what, self.where):
                await blob.stage_block(block, piece, length=len(piece))
            blocks.append(BlobBlock(block_id=block))

        async for chunk in chunks:
            held += chunk
            size += len(chunk)
            while len(held) > self._piece_bytes:
                await send(bytes(held[: self._piece_bytes]))
                del held[: self._piece_bytes]
        if not blocks and len(held) <= self._piece_bytes:
            return await self._put(key, bytes(held), content_type, metadata, conditions)
        await send(bytes(held))
        with translated(what, self.where):
            reply = await blob.commit_block_list(
                blocks,
                content_settings=_content(content_type),
                metadata=packed(metadata),
                **conditions,
            )
            return _written(key, size, content_type, metadata, reply)

    # Descriptions

    async def expire(self, key: str, expires: float | None) -> None:
        """Give an object an expiry, in seconds since the epoch, or take it away."""
        what = f"setting the expiry of {key!r}"
        for _ in range(_ATTEMPTS):
            found = await self._living(key)
            try:
                with translated(what, self.where):
                    await self.blob(key).set_blob_metadata(
                        expiry_metadata(found, expires),
                        etag=found.etag,
                        match_condition=MatchConditions.IfNotModified,
                    )
            except (ConflictError, NotFoundError):
                continue
            return
        raise ConflictError(f"{what} failed: others keep changing it", hint="try again")

    async def list(self, prefix: str) -> AsyncGenerator[ObjectInfo]:
        """The objects below `prefix`, in order of key."""
        folder, what = self._names.folder(prefix), f"listing {prefix!r}"
        order, over = InOrder(prefix), list[Stored]()
        blobs = aiter(self._client.list_blobs(name_starts_with=folder, include=["metadata"], results_per_page=_PAGE))
        while True:
            with translated(what, self.where):
                blob = await anext(blobs, None)
            if blob is None:
                break
            key = self._names.key(str(blob.name))
            if key is None:
                continue
            found = stored(blob, key)
            if found.expired:
                over.append(found)
                continue
            for info in order.put(found.info):
                yield info
        for info in order.rest():
            yield info
        for begin in range(0, len(over), _SWEPT_AT_ONCE):
            await asyncio.gather(*map(self._sweep, over[begin : begin + _SWEPT_AT_ONCE]))

    async def _living(self, key: str) -> Stored:
        found = await self._find(key)
        if found is not None and found.expired:
            await self._sweep(found)
        if found is None or found.expired:
            raise self._missing(key)
        return found

    async def _find(self, key: str) -> Stored | None:
        """An object as it is now, expired or not; None when there is none."""
        blob = self.blob(key)
        try:
            with translated(f"looking for {key!r}", self.where):
                properties = await blob.get_blob_properties()
        except NotFoundError as error:
            if means_container(error):
                raise
            return None
        return stored(properties, key)

    async def _sweep(self, found: Stored) -> None:
        """Remove what has expired, unless it was written since; whether that works is no concern of who met it."""
        if not found.forgotten:
            return
        try:
            with translated(f"deleting {found.info.key!r}", self.where):
                await self.blob(found.info.key).delete_blob(
                    etag=found.etag, match_condition=MatchConditions.IfNotModified, retry_total=0
                )
        except ConnectorError:
            pass

    def _missing(self, key: str) -> NotFoundError:
        return NotFoundError(f"there is no object {key!r} in {self.where}", hint="list its folder to see what is there")


def _conditions(if_version: str | None) -> dict[str, Any] | None:
    """The arguments that let a write succeed only on this version; None when that is over.

    It is not tried again, since the second try would fail on what the first one has written.
    """
    if if_version is None:
        return {}
    if if_version == NEW:
        return {"match_condition": MatchConditions.IfMissing, "retry_total": 0}
    etag = etag_of(if_version)
    if etag is None:
        return None
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified, "retry_total": 0}


def _content(content_type: str) -> ContentSettings:
    if not (content_type.isascii() and content_type.isprintable()):
        raise ConfigError(f"illegal content type {content_type!r}", hint="use one such as 'text/plain'")
    return ContentSettings(content_type=content_type)


def _written(
    key: str, size: int, content_type: str, metadata: Mapping[str, str] | None, reply: Mapping[str, Any]
) -> ObjectInfo:
    return ObjectInfo(
        key=key,
        size=size,
        version=version_of(str(reply["etag"]), None),
        modified=reply["last_modified"].timestamp(),
        content_type=content_type,
        metadata=dict(metadata or {}),
    )


def _without_query(url: str) -> str:
    """An address without the signature that may follow it."""
    return url.partition("?")[0].rstrip("/")


async def _cut(data: bytes, size: int) -> AsyncGenerator[bytes]:
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]
