"""All collections of one connector, and the folder that keeps them."""

from pathlib import Path

import filelock

from sre_core.builtin.vector_collection import Collection, file_name
from sre_core.builtin.vector_log import SUFFIX, UNFINISHED, VectorLog
from sre_core.connectors.vectors import Metric
from sre_core.errors import ConnectorError, UnavailableError

__all__ = ["VectorShelf"]

_LOCK = "in-use.lock"


class VectorShelf:
    """Collections by name, in memory; with a folder, each has a file there. Its methods block."""

    def __init__(self, folder: Path | None, *, sync: bool) -> None:
        self.collections: dict[str, Collection] = {}
        self._folder = folder
        self._sync = sync
        self._lock: filelock.BaseFileLock | None = None

    def open(self) -> None:
        """Take the folder and load what it keeps.

        Raises UnavailableError when the folder is in use, ConnectorError when a file is damaged.
        """
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._take(self._folder)
            for rest in self._folder.glob(f"*{UNFINISHED}"):
                rest.unlink()
            paths = sorted(self._folder.glob(f"*{SUFFIX}"))
        except OSError as error:
            self.close()
            raise ConnectorError(
                f"cannot use the vector folder {str(self._folder)!r}: {error.strerror}",
                hint="check that it is a folder that may be written to",
            ) from error
        try:
            for path in paths:
                collection = Collection.load(VectorLog(path, sync=self._sync))
                self.collections[collection.name] = collection
        except BaseException:
            self.close()
            raise

    def make(self, name: str, dimension: int, metric: Metric) -> Collection:
        """A new collection, already in its file but not yet among `collections`. Raises ConnectorError."""
        log = VectorLog(self._folder / file_name(name), sync=self._sync) if self._folder else None
        collection = Collection(name, dimension, metric, log)
        collection.save_new()
        return collection

    def close(self) -> None:
        """Let go of the folder and of everything in memory."""
        self.collections = {}
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _take(self, folder: Path) -> None:
        lock = filelock.FileLock(folder / _LOCK, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise UnavailableError(
                f"the vector folder {str(folder)!r} is in use by another process or runtime",
                hint="stop the other one, or give this one a `folder` of its own",
            ) from error
        self._lock = lock
