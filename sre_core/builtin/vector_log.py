"""The file of one vector collection: an append-only log of changes, replayed on start.

A file is a preamble, then frames. A frame is a JSON head and a body of float32 values, little endian, with a
checksum over both. The preamble holds the length of what was acknowledged: the tail of a write that a kill
has cut lies beyond it and is ignored, while a file that is shorter than it was damaged.
"""

import json
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import xxhash

from sre_core.errors import ConnectorError

__all__ = ["SUFFIX", "UNFINISHED", "Frame", "VectorLog"]

Frame = tuple[Mapping[str, Any], bytes | memoryview]
"""What was done, as JSON values, and the vectors that belong to it."""

SUFFIX = ".vectors"
UNFINISHED = ".new"
_MAGIC = b"SREVEC1\n"
_PREAMBLE = struct.Struct("<8sQQ")
_FRAME = struct.Struct("<QQQ")
_LENGTHS = struct.Struct("<QQ")


class VectorLog:
    """One file. Its methods block, and only one may run at a time.

    With `sync`, a change is on the disk before it is acknowledged, so it survives a power cut; without, it
    survives a kill of the process only.
    """

    def __init__(self, path: Path, *, sync: bool, size: int = 0) -> None:
        self.path = path
        self.size = size
        self._sync = sync

    def replay(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """The frames, oldest first. Raises ConnectorError, naming the file, when it is damaged."""
        try:
            with self.path.open("rb") as file:
                length = os.fstat(file.fileno()).st_size
                self.size = self._committed(file.read(_PREAMBLE.size))
                if length < self.size:
                    raise self._damaged(f"it has {length} bytes of {self.size}")
                while file.tell() < self.size:
                    yield self._frame(file)
        except OSError as error:
            raise ConnectorError(
                f"cannot read the vector file {str(self.path)!r}: {error.strerror}", hint="check its permissions"
            ) from error

    def append(self, frame: Frame) -> None:
        """Add a frame; all of it is kept or nothing. Raises ConnectorError."""
        try:
            with self.path.open("r+b") as file:
                file.truncate(self.size)
                file.seek(self.size)
                size = self.size + _write(file, frame)
                # First the frame, then its length: in the other order a power cut would look like damage.
                self._flush(file)
                file.seek(0)
                file.write(_preamble(size))
                self._flush(file)
        except OSError as error:
            raise self._unwritable(error) from error
        self.size = size

    def rewrite(self, frames: Iterable[Frame]) -> None:
        """Replace the whole file, atomically. Raises ConnectorError and leaves the old one."""
        fresh = self.path.with_suffix(UNFINISHED)
        try:
            with fresh.open("wb") as file:
                file.write(_preamble(0))
                size = _PREAMBLE.size + sum(_write(file, frame) for frame in frames)
                file.seek(0)
                file.write(_preamble(size))
                self._flush(file)
            fresh.replace(self.path)
            self._sync_folder()
        except OSError as error:
            with suppress(OSError):
                fresh.unlink()
            raise self._unwritable(error) from error
        self.size = size

    def remove(self) -> None:
        """Delete the file. Raises ConnectorError."""
        try:
            self.path.unlink(missing_ok=True)
            self._sync_folder()
        except OSError as error:
            raise self._unwritable(error) from error

    def _committed(self, preamble: bytes) -> int:
        if len(preamble) < _PREAMBLE.size or not preamble.startswith(_MAGIC):
            raise self._damaged("it does not begin like a vector file")
        _, size, checksum = _PREAMBLE.unpack(preamble)
        if _preamble(size) != preamble:
            raise self._damaged(f"the checksum {checksum:x} of its length is wrong")
        return int(size)

    def _frame(self, file: BinaryIO) -> tuple[dict[str, Any], bytes]:
        start = file.tell()
        if start + _FRAME.size > self.size:
            raise self._damaged(f"the entry at byte {start} is cut")
        head_size, body_size, checksum = _FRAME.unpack(file.read(_FRAME.size))
        if head_size + body_size > self.size - file.tell():
            raise self._damaged(f"the entry at byte {start} is longer than the file")
        head, body = file.read(head_size), file.read(body_size)
        if _checksum(head, body) != checksum:
            raise self._damaged(f"the checksum of the entry at byte {start} is wrong")
        return json.loads(head), body

    def _flush(self, file: BinaryIO) -> None:
        file.flush()
        if self._sync:
            os.fsync(file.fileno())

    # Windows cannot open a folder, and needs no sync of one.
    def _sync_folder(self) -> None:
        if self._sync and os.name == "posix":
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _damaged(self, why: str) -> ConnectorError:
        return ConnectorError(
            f"the vector file {str(self.path)!r} is damaged: {why}",
            hint="restore it from a backup, or move it away to start without it; nothing was changed",
        )

    def _unwritable(self, error: OSError) -> ConnectorError:
        return ConnectorError(
            f"cannot write the vector file {str(self.path)!r}: {error.strerror}",
            hint="nothing of this change was kept; check the free space and the permissions of its folder",
        )


def _preamble(size: int) -> bytes:
    return _PREAMBLE.pack(_MAGIC, size, xxhash.xxh3_64_intdigest(size.to_bytes(8, "little")))


def _write(file: BinaryIO, frame: Frame) -> int:
    head, body = json.dumps(frame[0], separators=(",", ":")).encode(), frame[1]
    size = len(body) if isinstance(body, bytes) else body.nbytes
    file.write(_FRAME.pack(len(head), size, _checksum(head, body)))
    file.write(head)
    file.write(body)
    return _FRAME.size + len(head) + size


def _checksum(head: bytes, body: bytes | memoryview) -> int:
    size = len(body) if isinstance(body, bytes) else body.nbytes
    digest = xxhash.xxh3_64(_LENGTHS.pack(len(head), size))
    digest.update(head)
    digest.update(body)
    return digest.intdigest()
