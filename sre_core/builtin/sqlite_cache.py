"""A cache in one SQLite file, shared by the processes of one machine and kept over restarts."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, TypeVar

from pydantic import Field

from sre_core.builtin import counter
from sre_core.builtin.worker_thread import in_thread
from sre_core.connectors.base import Settings
from sre_core.connectors.cache import CacheConnector
from sre_core.errors import ConnectorError, NotFoundError, UnavailableError

__all__ = ["SqliteCache", "SqliteCacheSettings"]

T = TypeVar("T")

_APPLICATION = 0x53524543  # "SREC", so that the file of another program is never taken for a cache
_VERSION = 1
_WRITES_PER_SWEEP = 256
_SCHEMA = """
CREATE TABLE entries (key TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL, expires REAL);
CREATE INDEX entries_by_expiry ON entries (expires) WHERE expires IS NOT NULL;
"""
_SELECT = "SELECT value, expires FROM entries WHERE key = ? AND (expires IS NULL OR expires > ?)"
_UPSERT = """INSERT INTO entries (key, value, expires) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires"""
_SWEEP = """DELETE FROM entries WHERE key IN (
SELECT key FROM entries WHERE expires IS NOT NULL AND expires <= ? LIMIT 1000)"""


class SqliteCacheSettings(Settings):
    """Where the file lies, and how many seconds to wait for other processes that write to it."""

    path: Path = Path(".sre/cache.sqlite3")
    busy_timeout: float = Field(default=5.0, gt=0, description="in seconds")


class SqliteCache(CacheConnector):
    """Keeps values in a file. Expiry goes by the wall clock, which all processes and restarts share.

    One connection, used in worker threads by one call at a time. A process that is killed loses no value that
    it was told is kept; after a power cut the last ones may be gone, as a cache may forget.
    """

    name = "sqlite"
    settings_type = SqliteCacheSettings
    capabilities: ClassVar[frozenset[str]] = frozenset({"increment"})

    def __init__(self, settings: SqliteCacheSettings) -> None:
        """Open nothing."""
        super().__init__(settings)
        self._path = settings.path
        self._patience = settings.busy_timeout
        self._database: sqlite3.Connection | None = None
        # Whoever waits for its turn waits here, and occupies no thread.
        self._turn = asyncio.Lock()
        self._writes = 0

    async def start(self) -> None:
        """Open the file, made with permissions 0600 if it is missing.

        Raises ConnectorError when it is damaged or belongs to another program; it is left as it is.
        """
        async with self._turn:
            await in_thread(self._open)

    async def stop(self) -> None:
        """Close the file."""
        database, self._database = self._database, None
        if database is not None:
            async with self._turn:
                await in_thread(database.close)

    async def ping(self) -> None:
        """Read from the file."""
        await self._call(lambda database: database.execute("SELECT 1 FROM entries LIMIT 1").fetchone())

    async def get(self, key: str) -> bytes | None:
        """The value, or None."""
        row = await self._call(lambda database: _find(database, key))
        return None if row is None else row[0]

    async def set(self, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Keep a value, replacing the old one and its time to live."""

        def write(database: sqlite3.Connection) -> None:
            database.execute(_UPSERT, (key, value, _deadline(ttl)))
            self._sweep(database)

        await self._call(write)

    async def delete(self, key: str) -> None:
        """Forget a key; a missing one is not an error."""
        await self._call(lambda database: database.execute("DELETE FROM entries WHERE key = ?", (key,)))

    async def expires_in(self, key: str) -> float | None:
        """Seconds until the key expires; None when it never does. Raises NotFoundError."""
        row = await self._call(lambda database: _find(database, key))
        if row is None:
            raise NotFoundError(f"cache key {key!r} does not exist", hint="it was never set, or has expired")
        return None if row[1] is None else max(row[1] - time.time(), 0.0)

    async def increment(self, key: str, by: int = 1, *, ttl: float | None = None) -> int:
        """Add to a whole number, atomically across processes. Raises ConflictError when the value is none."""

        def write(database: sqlite3.Connection) -> int:
            # IMMEDIATE takes the write lock before reading: two processes can never add to the same old number.
            database.execute("BEGIN IMMEDIATE")
            try:
                row = _find(database, key)
                total = counter.add(key, None if row is None else row[0], by)
                expires = _deadline(ttl) if row is None else row[1]
                database.execute(_UPSERT, (key, str(total).encode(), expires))
                database.execute("COMMIT")
            finally:
                if database.in_transaction:
                    database.execute("ROLLBACK")
            self._sweep(database)
            return total

        return await self._call(write)

    async def _call(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in a thread, with SQLite's errors as ours."""
        database = self._database
        if database is None:
            raise ConnectorError(f"cache {str(self._path)!r} is not open", hint="start the connector before its use")

        def translated() -> T:
            try:
                return work(database)
            except sqlite3.Error as error:
                raise self._error(error) from error

        async with self._turn:
            return await in_thread(translated)

    def _sweep(self, database: sqlite3.Connection) -> None:
        """Now and then, remove some of what has expired: nobody may ever ask for it again."""
        self._writes += 1
        if self._writes % _WRITES_PER_SWEEP == 0:
            database.execute(_SWEEP, (time.time(),))

    def _open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Made here, since SQLite would let the umask decide; its side files take over the mode.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConnectorError(
                f"cache file {str(self._path)!r} cannot be opened: {error.strerror}",
                hint="set `path` of the sqlite cache to a file that this user can write",
            ) from error
        database = sqlite3.connect(self._path, timeout=self._patience, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(database)
        except sqlite3.Error as error:
            database.close()
            raise self._error(error) from error
        except BaseException:
            database.close()
            raise
        # Set here and not by `start`, which may be cancelled while this runs: `stop` closes it then.
        self._database = database

    def _prepare(self, database: sqlite3.Connection) -> None:
        # In one transaction: another process may finish making the file between two questions.
        database.execute("BEGIN")
        self._check_owner(database)
        database.execute("COMMIT")
        give_up = time.monotonic() + self._patience
        while True:
            try:
                database.execute("PRAGMA journal_mode = WAL")
                break
            except sqlite3.OperationalError as error:
                # SQLite does not wait by itself when several processes switch a new file to WAL at once.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(0.01)
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("BEGIN IMMEDIATE")
        if not self._check_owner(database):
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {_APPLICATION}")
            database.execute(f"PRAGMA user_version = {_VERSION}")
        database.execute("COMMIT")
        database.execute(_SWEEP, (time.time(),))

    def _check_owner(self, database: sqlite3.Connection) -> bool:
        """Whether the file holds a cache already; False when it is empty."""
        owner, version = (
            database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        )
        if (owner, version) == (_APPLICATION, _VERSION):
            return True
        if owner == 0 and database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0:
            return False
        raise ConnectorError(
            f"{str(self._path)!r} is a database, but not a cache of this version",
            hint="set `path` of the sqlite cache to another file, or delete this one if nothing else needs it",
        )

    def _error(self, error: sqlite3.Error) -> ConnectorError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        what = f"cache file {str(self._path)!r}"
        if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
            return ConnectorError(
                f"{what} is damaged, or is no SQLite database; it was left as it is",
                hint="move it away or delete it: a cache can be filled again",
            )
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return UnavailableError(
                f"{what} was locked by another process for {self._patience:g} s",
                hint="try again, or raise busy_timeout",
            )
        if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
            return ConnectorError(f"{what} cannot be read or written: {error}", hint="check the disk: it may be full")
        if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN}:
            return ConnectorError(f"{what} cannot be written: {error}", hint="check its permissions and its folder's")
        return ConnectorError(f"{what} failed: {error}", hint="move the file away if this goes on")


def _find(database: sqlite3.Connection, key: str) -> tuple[bytes, float | None] | None:
    row: tuple[bytes, float | None] | None = database.execute(_SELECT, (key, time.time())).fetchone()
    return row


def _deadline(ttl: float | None) -> float | None:
    return None if ttl is None else time.time() + ttl
