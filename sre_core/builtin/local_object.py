"""An object as a file: one line of JSON that says what it is, then its bytes.

Data and description are one file, so that one rename replaces both. The line is padded with spaces: it is
written last, once the size is known.
"""

import json
import os
import secrets
import sys
import time
from contextlib import suppress
from dataclasses import replace
from io import BufferedReader
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from sre_core.builtin.local_folder import Folder
from sre_core.connectors.storage import ObjectInfo
from sre_core.errors import ConfigError, ConnectorError

if sys.platform != "win32":
    import fcntl

__all__ = ["PIECE", "ObjectReader", "ObjectWriter", "expired", "sweep"]

PIECE = 1 << 20
"""How many bytes of an object are in memory at once."""

_MAGIC = b'{"sre":1,'
_LONGEST_HEADER = 1 << 20
_ROOM = 64  # bytes for the digits of size and time
_ABANDONED_AFTER = 60.0
_INFO = TypeAdapter(ObjectInfo)


def expired(info: ObjectInfo) -> bool:
    """Whether the object counts as missing by now."""
    return info.expires is not None and info.expires <= time.time()


class ObjectReader:
    """An object that is read, in one piece or in several."""

    def __init__(self, key: str) -> None:
        """Opens nothing."""
        self._key = key
        self._file: BufferedReader | None = None

    def open(self, folder: Folder, name: str) -> ObjectInfo:
        """Open the file and read its header. Raises FileNotFoundError, OSError, ConnectorError."""
        self._file = os.fdopen(folder.open(name, os.O_RDONLY), "rb")
        return _read_header(self._file, self._key, folder.path / name)

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, or all that are left; empty at the end, and when nothing is open."""
        return b"" if self._file is None else self._file.read(size)

    def close(self) -> None:
        """Close the file; twice is harmless."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _read_header(file: BufferedReader, key: str, path: Path) -> ObjectInfo:
    line = file.readline(_LONGEST_HEADER + 1)
    why = "its first line is not the description of an object"
    if line.startswith(_MAGIC) and line.endswith(b"\n"):
        with suppress(ValidationError):
            info = _INFO.validate_json(line)
            if info.key != key:
                why = f"it belongs to the key {info.key!r}"
            elif (held := os.fstat(file.fileno()).st_size - len(line)) != info.size:
                why = f"it holds {held} bytes of {info.size}"
            else:
                return info
    raise ConnectorError(
        f"the file {str(path)!r} is damaged or foreign: {why}",
        hint=f"delete or write {key!r} again to replace it, or restore the file from a backup",
    )


class ObjectWriter:
    """An object that is being written: a temporary file, until `move` has put it in its place.

    While the file is open it is locked, which tells other processes that its owner lives.
    """

    def __init__(self, info: ObjectInfo) -> None:
        """Opens nothing. Size, and the time when it is 0, are filled in at the end. Raises ConfigError."""
        self._info = info
        # The size and the time that are yet to come need no more room than this.
        self._room = len(_header(info)) + _ROOM
        self._name = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._folder: Folder | None = None
        self._descriptor = -1
        self._size = 0

    def open(self, folder: Folder) -> None:
        """Make the file in `folder`, which the writer closes. Raises OSError."""
        self._folder = folder
        self._descriptor = folder.open(self._name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        if sys.platform != "win32":
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.lseek(self._descriptor, self._room + 1, os.SEEK_SET)

    def write(self, piece: bytes | bytearray) -> None:
        """Append to the object. Raises OSError."""
        self._write(piece)
        self._size += len(piece)

    def finish(self) -> ObjectInfo:
        """Write the header, and return when all of it would survive a loss of power. Raises OSError."""
        info = replace(self._info, size=self._size, modified=self._info.modified or time.time())
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._write(_header(info).ljust(self._room) + b"\n")
        os.fsync(self._descriptor)
        return info

    def move(self, target: Folder, name: str) -> None:
        """Put the finished file in its place. Raises OSError."""
        if self._folder is None:
            raise ValueError("move before open")
        # Windows moves no open file; elsewhere the lock guards the file until it has its name.
        if sys.platform == "win32":
            self._close()
        self._folder.replace(self._name, target, name)
        self._close()
        self._folder.close()
        self._folder = None

    def abort(self) -> None:
        """Remove the file unless it was moved; twice is harmless."""
        self._close()
        if self._folder is not None:
            with suppress(OSError):
                self._folder.unlink(self._name)
            self._folder.close()
            self._folder = None

    def _write(self, data: bytes | bytearray) -> None:
        # A disk that runs full takes a part, and refuses the next: what is left must not go unnoticed.
        with memoryview(data) as rest:
            begin = 0
            while begin < len(rest):
                begin += os.write(self._descriptor, rest[begin : begin + PIECE])

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _header(info: ObjectInfo) -> bytes:
    fields = {
        "sre": 1,
        "key": info.key,
        "size": info.size,
        "version": info.version,
        "modified": info.modified,
        "content_type": info.content_type,
        "metadata": dict(info.metadata),
        "expires": info.expires,
    }
    try:
        header = json.dumps(fields, separators=(",", ":")).encode()
        _INFO.validate_json(header)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"illegal content type or metadata for {info.key!r}", hint="both are text, without surrogates"
        ) from error
    if len(header) > _LONGEST_HEADER - _ROOM:
        raise ConfigError(
            f"the metadata of {info.key!r} take {len(header)} bytes",
            hint=f"keep them and the key below {_LONGEST_HEADER - _ROOM} bytes, and the rest in the object",
        )
    return header


def sweep(folder: Folder) -> int:
    """Remove the temporary files that dead processes left in `folder`; returns how many.

    A file is left alone while its owner holds the lock on it, and in its first minute, when it may not yet.
    """
    removed = 0
    for name in folder.names():
        with suppress(OSError):
            descriptor = folder.open(name, os.O_RDONLY)
            try:
                if os.fstat(descriptor).st_mtime > time.time() - _ABANDONED_AFTER:
                    continue
                if sys.platform != "win32":
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            finally:
                os.close(descriptor)
            folder.unlink(name)
            removed += 1
    return removed
