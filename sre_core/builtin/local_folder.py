"""Folders that are never entered through a link, and what the errors of a file system mean to a user."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from sre_core.errors import ConnectorError, UnavailableError

__all__ = ["Folder", "translated"]

# Where the system can look names up in an open folder, a link put in place between two steps changes nothing.
_BY_DESCRIPTOR = os.open in os.supports_dir_fd and os.listdir in os.supports_fd
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_DIRECTORY = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_LINK = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})
_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_REPARSE_POINT = 0x400


class Folder:
    """An open folder: names in it are opened, replaced and removed, and links are refused with an OSError."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        """For `root` and `folder`, which open one; without a descriptor names are looked up by path."""
        self.path = path
        self.descriptor = descriptor

    @classmethod
    def root(cls, path: Path, *, by_descriptor: bool = _BY_DESCRIPTOR) -> "Folder":
        """Open a folder by its path. Raises OSError."""
        if by_descriptor:
            return cls(path, os.open(path, _DIRECTORY | _NOFOLLOW))
        if not stat.S_ISDIR(path.stat().st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        return cls(path, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the folder; twice is harmless."""
        descriptor, self.descriptor = self.descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def folder(self, name: str, *, create: bool = False) -> "Folder":
        """Open a folder in this one, and make it first when asked to. Raises FileNotFoundError, OSError."""
        if create:
            try:
                return self.folder(name)
            except FileNotFoundError:
                with suppress(FileExistsError):
                    os.mkdir(self.at(name), 0o700, dir_fd=self.descriptor)
                    self.sync()
        if self.descriptor is not None:
            return Folder(self.path / name, os.open(name, _DIRECTORY | _NOFOLLOW, dir_fd=self.descriptor))
        self._refuse_link(name)
        return Folder.root(self.path / name, by_descriptor=False)

    def open(self, name: str, flags: int) -> int:
        """Open a regular file in this folder; a new one belongs to its owner alone. Raises OSError."""
        if self.descriptor is None:
            self._refuse_link(name, missing_ok=bool(flags & os.O_CREAT))
        descriptor = os.open(self.at(name), flags | _NOFOLLOW | _BINARY, 0o600, dir_fd=self.descriptor)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError(errno.ELOOP, "not a regular file", name)
        return descriptor

    def names(self) -> list[str]:
        """The names in this folder, in no order."""
        return os.listdir(self.path if self.descriptor is None else self.descriptor)  # noqa: PTH208 -- no path

    def replace(self, name: str, target: "Folder", new: str) -> None:
        """Move the file `name` of this folder to `new` in `target`, in place of what is there."""
        os.replace(self.at(name), target.at(new), src_dir_fd=self.descriptor, dst_dir_fd=target.descriptor)

    def unlink(self, name: str) -> None:
        """Remove a file, or a link itself. Raises FileNotFoundError, OSError."""
        os.unlink(self.at(name), dir_fd=self.descriptor)

    def sync(self) -> None:
        """Return when the names in this folder would survive a loss of power, where the system can tell."""
        if self.descriptor is not None:
            os.fsync(self.descriptor)

    def at(self, name: str) -> str:
        """`name` as the system's calls take it together with `descriptor`."""
        return name if self.descriptor is not None else str(self.path / name)

    def _refuse_link(self, name: str, *, missing_ok: bool = False) -> None:
        try:
            found = (self.path / name).lstat()
        except FileNotFoundError:
            if missing_ok:
                return
            raise
        # Junctions are not symbolic links to Python, but lead out just as well.
        if stat.S_ISLNK(found.st_mode) or getattr(found, "st_file_attributes", 0) & _REPARSE_POINT:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)


@contextmanager
def translated(what: str, root: Path) -> Iterator[None]:
    """Raise what the file system reports while `what` is done as a ConnectorError."""
    try:
        yield
    except OSError as error:
        raise _connector_error(error, what, root) from error


def _connector_error(error: OSError, what: str, root: Path) -> ConnectorError:
    if error.errno in _FULL:
        return ConnectorError(
            f"{what} failed: no room is left for it ({error.strerror})",
            hint=f"free some space or raise the limit for {str(root)!r}; the old object, if any, is unharmed",
        )
    if error.errno in _LINK:
        return ConnectorError(
            f"{what} failed: {error.filename!r} in its path is a link, or not what this storage put there",
            hint=f"links are never followed; look for it under {str(root)!r} and move it away",
        )
    if error.errno in _REFUSED:
        return ConnectorError(
            f"{what} failed: {error.strerror}", hint=f"this process needs to read and write {str(root)!r}"
        )
    if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOMEM} or isinstance(error, TimeoutError):
        return UnavailableError(f"{what} failed for now: {error}", hint="try again, with fewer calls at once")
    return ConnectorError(f"{what} failed: {error}", hint=f"check the folder {str(root)!r}")
