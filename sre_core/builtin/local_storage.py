"""Objects in a folder of this machine, shared safely by every process that uses it."""

import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sre_core.builtin.local_paths import check_key
from sre_core.builtin.worker_thread import in_thread
from sre_core.connectors.base import Settings
from sre_core.connectors.storage import ObjectInfo, StorageConnector
from sre_core.errors import ConnectorError

if TYPE_CHECKING:
    from sre_core.builtin.local_files import LocalFiles

__all__ = ["LocalSettings", "LocalStorage"]

_LISTED_AT_ONCE = 128
_GATHERED = 1 << 20


class LocalSettings(Settings):
    """`folder` is made by the first write; a relative one counts from the current folder at the start."""

    folder: Path = Path(".sre/storage")


class LocalStorage(StorageConnector):
    """One file per object below `folder`, named after its key, readable by its owner alone.

    A write goes to a temporary file, is flushed to the disk, and takes its place in one step. No link inside the
    folder is followed. A file that is damaged, or that somebody else put there, is an error when it is read and is
    left out of lists, with a warning in the log. Folders that become empty stay.
    """

    name = "local"
    settings_type = LocalSettings
    capabilities = frozenset({"stream", "expire", "condition"})
    settings: LocalSettings

    def __init__(self, settings: LocalSettings) -> None:
        """Store the settings; touch no file."""
        super().__init__(settings)
        self._started: LocalFiles | None = None

    @property
    def _files(self) -> "LocalFiles":
        if self._started is None:
            raise ConnectorError("the local storage is not started", hint="await start() first")
        return self._started

    async def start(self) -> None:
        """Remove what processes that died in a write have left. Makes no folder; raises ConnectorError."""
        # Only now, since what it imports takes longer than the start of a runtime that stores nothing.
        from sre_core.builtin.local_files import LocalFiles

        files = LocalFiles(self.settings.folder)
        await in_thread(files.prepare)
        self._started = files

    async def stop(self) -> None:
        """Forget the folder: nothing is open between two calls."""
        self._started = None

    async def ping(self) -> None:
        """Raises UnavailableError when the folder is gone or cannot be written to."""
        await in_thread(self._files.ping)

    async def read(self, key: str) -> bytes:
        """The whole object."""
        return await in_thread(self._files.read, key)

    async def stat(self, key: str) -> ObjectInfo:
        """What is known of an object, without its bytes."""
        return await in_thread(self._files.stat, key)

    async def delete(self, key: str) -> None:
        """Remove an object; a missing one is not an error."""
        await in_thread(self._files.delete, key)

    async def write(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_version: str | None = None,
    ) -> ObjectInfo:
        """Store an object; its key and metadata may have nearly a mebibyte."""
        return await in_thread(self._files.write, _new(key, content_type, metadata), data, if_version)

    async def list(self, prefix: str) -> AsyncGenerator[ObjectInfo]:
        """The objects below `prefix` in order of key, without the damaged."""
        files = self._files
        listing = files.listing(prefix)
        try:
            while found := await in_thread(files.take, listing, prefix, _LISTED_AT_ONCE):
                for info in found:
                    yield info
        finally:
            await in_thread(listing.close)

    async def read_stream(self, key: str) -> AsyncGenerator[bytes]:
        """The object in pieces of at most a mebibyte, all of the version that was there at the first."""
        files = self._files
        reader = files.reader(key)
        try:
            await in_thread(files.open, reader, key)
            while piece := await in_thread(files.next_piece, reader, key):
                yield piece
        finally:
            await in_thread(reader.close)

    async def write_stream(
        self,
        key: str,
        chunks: AsyncIterable[bytes],
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object from pieces, which are gathered to a mebibyte before they go to the disk."""
        files = self._files
        writer = files.writer(_new(key, content_type, metadata))
        gathered = bytearray()
        try:
            await in_thread(files.begin, writer, key)
            async for chunk in chunks:
                gathered += chunk
                if len(gathered) >= _GATHERED:
                    await in_thread(files.append, writer, key, gathered)
                    gathered = bytearray()
            await in_thread(files.append, writer, key, gathered)
            return await in_thread(files.commit, writer, key, None)
        finally:
            await in_thread(writer.abort)

    async def expire(self, key: str, seconds: float | None) -> None:
        """Let an object vanish after `seconds`; None means never. Its file is copied, and keeps its version."""
        await in_thread(self._files.expire, key, None if seconds is None else time.time() + seconds)


def _new(key: str, content_type: str, metadata: Mapping[str, str] | None) -> ObjectInfo:
    """An object about to be written; its size and time are known at the end. Raises ConfigError."""
    check_key(key)
    return ObjectInfo(
        key=key,
        size=0,
        version=secrets.token_hex(8),
        modified=0.0,
        content_type=content_type,
        metadata=dict(metadata or {}),
    )
