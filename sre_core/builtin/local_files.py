"""The blocking half of the local storage: what is done to its folder, in a worker thread."""

import errno
import os
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from sre_core import logs
from sre_core.builtin.local_folder import Folder, translated
from sre_core.builtin.local_listing import Listing, open_folder
from sre_core.builtin.local_object import PIECE, ObjectReader, ObjectWriter, expired, sweep
from sre_core.builtin.local_paths import check_key, encode_key, encode_part
from sre_core.connectors.storage import NEW, ObjectInfo
from sre_core.errors import ConflictError, NotFoundError, UnavailableError

__all__ = ["LocalFiles"]

log = logs.get_logger(__name__)

_TEMPORARY = ".temp"
# Nothing is there yet, or it may only be read.
_NOTHING_TO_SWEEP = frozenset({errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS})
_LOCKS = ".locks"
_STRIPES = 64
_LOCK_SECONDS = 30.0
_LOCK_POLL_SECONDS = 0.002


class LocalFiles:
    """The objects in one folder. Nothing is open between two calls."""

    def __init__(self, root: Path) -> None:
        """Touches nothing; `root` is absolute from here on, whatever the current folder becomes."""
        self._root = Path(os.path.realpath(root))
        self._seen = False
        # Threads of this process queue here, so that only one of them polls for the lock between processes.
        self._stripes = tuple(threading.Lock() for _ in range(_STRIPES))

    def prepare(self) -> None:
        """Remove what processes that died in a write have left. Makes nothing; raises ConnectorError.

        The folder is made by the first write: who only reads needs no place to write to.
        """
        removed = 0
        with translated("start of the local storage", self._root):
            try:
                with self._open_root() as root, root.folder(_TEMPORARY) as temporary:
                    removed = sweep(temporary)
            except OSError as error:
                if error.errno not in _NOTHING_TO_SWEEP:
                    raise
        if removed:
            log.info("abandoned_writes_removed", folder=str(self._root), files=removed)

    def ping(self) -> None:
        """Make the folder if need be. Raises ConnectorError when it is gone or cannot be written to."""
        with translated("ping of the local storage", self._root):
            self._open_root(create=True).close()
        if not os.access(self._root, os.R_OK | os.W_OK | os.X_OK):
            raise UnavailableError(
                f"the storage folder {str(self._root)!r} cannot be written to",
                hint="let this process read and write it",
            )

    def reader(self, key: str) -> ObjectReader:
        """A reader to `open`; opens nothing yet."""
        return ObjectReader(key)

    def writer(self, info: ObjectInfo) -> ObjectWriter:
        """A writer to `begin`; opens nothing yet. Raises ConfigError."""
        return ObjectWriter(info)

    def stat(self, key: str) -> ObjectInfo:
        """What is known of an object. Raises NotFoundError, ConnectorError."""
        reader = ObjectReader(key)
        try:
            return self.open(reader, key)
        finally:
            reader.close()

    def read(self, key: str) -> bytes:
        """The whole object. Raises NotFoundError, ConnectorError."""
        reader = ObjectReader(key)
        try:
            self.open(reader, key)
            return self.next_piece(reader, key, -1)
        finally:
            reader.close()

    def open(self, reader: ObjectReader, key: str) -> ObjectInfo:
        """Let `reader` read the object. Raises NotFoundError, ConnectorError."""
        folders, name = encode_key(check_key(key))
        with translated(f"read of {key!r}", self._root):
            info = self._find(reader, folders, name)
            if info is not None and expired(info):
                reader.close()
                self._remove_expired(key, folders, name)
                info = None
        if info is None:
            raise NotFoundError(f"there is no object {key!r}", hint="list its folder to see what is there")
        return info

    def next_piece(self, reader: ObjectReader, key: str, size: int = PIECE) -> bytes:
        """The next bytes of an open object; empty at the end. Raises ConnectorError."""
        with translated(f"read of {key!r}", self._root):
            return reader.read(size)

    def write(self, info: ObjectInfo, data: bytes, if_version: str | None) -> ObjectInfo:
        """Store an object in one go. Raises ConflictError, ConfigError, ConnectorError."""
        writer = ObjectWriter(info)
        try:
            self.begin(writer, info.key)
            self.append(writer, info.key, data)
            return self.commit(writer, info.key, if_version)
        finally:
            writer.abort()

    def begin(self, writer: ObjectWriter, key: str) -> None:
        """Let `writer` write the object. Raises ConnectorError."""
        with translated(f"write of {key!r}", self._root):
            writer.open(open_folder(self._open_root(create=True), (_TEMPORARY,), create=True))

    def append(self, writer: ObjectWriter, key: str, piece: bytes | bytearray) -> None:
        """Write more of an object. Raises ConnectorError."""
        with translated(f"write of {key!r}", self._root):
            writer.write(piece)

    def commit(self, writer: ObjectWriter, key: str, if_version: str | None) -> ObjectInfo:
        """Put what `writer` wrote in its place. Raises ConflictError, ConnectorError."""
        folders, name = encode_key(check_key(key))
        with translated(f"write of {key!r}", self._root):
            info = writer.finish()
            with open_folder(self._open_root(), folders, create=True) as folder:
                with self._locked(key):
                    if if_version is not None:
                        self._check_version(folder, name, key, if_version)
                    writer.move(folder, name)
                folder.sync()
        return info

    def delete(self, key: str) -> None:
        """Remove an object, if there is one. Raises ConnectorError."""
        folders, name = encode_key(check_key(key))
        with translated(f"delete of {key!r}", self._root):
            try:
                with open_folder(self._open_root(), folders) as folder:
                    with self._locked(key):
                        folder.unlink(name)
                    folder.sync()
            except FileNotFoundError:
                return

    def expire(self, key: str, expires: float | None) -> None:
        """Copy an object with another expiry, again if it changes meanwhile. Raises NotFoundError, ConnectorError."""
        while True:
            reader = ObjectReader(key)
            try:
                info = self.open(reader, key)
                writer = ObjectWriter(replace(info, expires=expires))
                try:
                    self.begin(writer, key)
                    while piece := self.next_piece(reader, key):
                        self.append(writer, key, piece)
                    self.commit(writer, key, info.version)
                    return
                finally:
                    writer.abort()
            except ConflictError:
                continue
            finally:
                reader.close()

    def listing(self, prefix: str) -> Listing:
        """The objects below `prefix`. Raises ConfigError; opens nothing yet."""
        names = tuple(name for part in check_key(prefix) for name in encode_part(part)) if prefix else ()
        return Listing(lambda: open_folder(self._open_root(), names), prefix)

    def take(self, listing: Listing, prefix: str, count: int) -> list[ObjectInfo]:
        """The next objects of a listing; empty at the end. Raises ConnectorError."""
        with translated(f"list of {prefix!r}", self._root):
            return listing.take(count)

    def _open_root(self, *, create: bool = False) -> Folder:
        """Raises FileNotFoundError before the folder was ever there, UnavailableError once it is gone."""
        try:
            root = Folder.root(self._root)
        except FileNotFoundError as error:
            if self._seen:
                raise UnavailableError(
                    f"the storage folder {str(self._root)!r} is gone", hint="bring it back, or start the runtime again"
                ) from error
            if not create:
                raise
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            root = Folder.root(self._root)
        self._seen = True
        return root

    def _find(self, reader: ObjectReader, folders: tuple[str, ...], name: str) -> ObjectInfo | None:
        try:
            with open_folder(self._open_root(), folders) as folder:
                return reader.open(folder, name)
        except FileNotFoundError:
            return None

    def _check_version(self, folder: Folder, name: str, key: str, wanted: str) -> None:
        """Raises ConflictError unless the object has that version; the lock is held."""
        reader = ObjectReader(key)
        try:
            info = reader.open(folder, name)
            found = NEW if expired(info) else info.version
        except FileNotFoundError:
            found = NEW
        finally:
            reader.close()
        if found != wanted:
            raise ConflictError(
                f"{key!r} exists already" if wanted == NEW else f"{key!r} is not in version {wanted!r} any more",
                hint="read it again, and decide from what it holds now",
            )

    def _remove_expired(self, key: str, folders: tuple[str, ...], name: str) -> None:
        reader = ObjectReader(key)
        try:
            with open_folder(self._open_root(), folders) as folder, self._locked(key):
                # Somebody may have written it again before the lock was had.
                if expired(reader.open(folder, name)):
                    reader.close()
                    folder.unlink(name)
        except OSError as error:
            # It is missing either way; a folder that may only be read keeps the file.
            log.debug("expired_object_kept", key=key, error=str(error))
        finally:
            reader.close()

    @contextmanager
    def _locked(self, key: str) -> Iterator[None]:
        """Keep every other writer of `key` out, in this process and in others. Raises UnavailableError."""
        number = zlib.crc32(key.encode()) % _STRIPES
        open_folder(self._open_root(), (_LOCKS,), create=True).close()
        lock = FileLock(self._root / _LOCKS / f"{number:02x}", mode=0o600, thread_local=False)
        with self._stripes[number]:
            try:
                lock.acquire(timeout=_LOCK_SECONDS, poll_interval=_LOCK_POLL_SECONDS)
            except Timeout as error:
                raise UnavailableError(
                    f"another process has kept {key!r} locked for {_LOCK_SECONDS:g} s",
                    hint="look for a stopped process that uses this folder",
                ) from error
            try:
                yield
            finally:
                lock.release()
