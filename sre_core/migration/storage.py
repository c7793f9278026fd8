"""Copies objects from one storage to another: in pieces, several at once, and only what is not there already."""

import hashlib
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from sre_core.access.stored import ACL_PREFIX
from sre_core.connectors.storage import ObjectInfo
from sre_core.errors import ConfigError, ConnectorError, NotFoundError
from sre_core.migration.ends import End, is_fatal, patiently, spread
from sre_core.migration.report import Listener, Outcome, Report, Survey

__all__ = ["StorageCopy"]

_TRIES = 3
_CLOCKS = 5.0
"""Seconds that an expiry may come out earlier or later, since it is handed on as a time to live."""


class StorageCopy:
    """Bytes, content type, metadata and expiry. ACLs are not objects here: see `GrantsCopy`.

    An object that is on both sides with the same size is read on both, and left alone when it is the same: so a copy
    that was killed goes on where it stopped, and a second one changes nothing. Each object that is written is read
    back. Connectors write all or nothing, so no half object is ever there.
    """

    def __init__(
        self, source: End, target: End, *, prefix: str = "", jobs: int = 8, listener: Listener | None = None
    ) -> None:
        """`prefix` narrows it to what lies there and below; `jobs` objects are on their way at once."""
        self._source = source
        self._target = target
        self._prefix = prefix
        self._jobs = jobs
        self._listener = listener or Listener()
        self._report = Report()
        self._writes = True

    async def survey(self) -> Survey:
        """Count what there is. Raises ConnectorError."""
        count = size = 0
        async with aclosing(self._objects(self._source)) as objects:
            async for info in objects:
                count += 1
                size += info.size
        return Survey(count=count, size=size)

    async def run(self, *, write: bool = True) -> Report:
        """Copy everything, or with `write` false find out what there is to copy.

        What cannot be copied is a difference in the report. Raises ConnectorError when an end is gone, or lets nobody
        in: what was copied stays.
        """
        self._report, self._writes = Report(), write
        await self._source.start()
        await self._target.start()
        await spread(self._objects(self._source), self._deal_with, jobs=self._jobs)
        if write:
            await self._compare_lists()
        return self._report

    async def _objects(self, end: End) -> AsyncGenerator[ObjectInfo]:
        """The objects at and below the prefix, in order of key."""
        if self._prefix and (exactly := await self._stat(end, self._prefix)) is not None:
            yield exactly
        async with aclosing(end.stream("list", lambda connector: connector.list(self._prefix))) as listing:
            async for info in listing:
                if info.key.split("/", 1)[0] != ACL_PREFIX:
                    yield info

    async def _deal_with(self, info: ObjectInfo) -> None:
        report, key = self._report, info.key
        try:
            outcome = await patiently(lambda: self._copy(key))
        except _GoneError:
            outcome = Outcome.GONE
        except (ConnectorError, ConfigError) as error:
            if await is_fatal(error, self._source, self._target):
                raise
            report.differs(key, error.message)
            return
        report.count(outcome)
        if outcome in {Outcome.COPIED, Outcome.REPLACED}:
            report.size += info.size
        self._listener.done(key, outcome)

    async def _copy(self, key: str) -> Outcome:
        for _ in range(_TRIES):
            before = await self._stat(self._source, key)
            if before is None:
                return Outcome.GONE
            wrong: ConnectorError | None = None
            try:
                outcome = await self._settle(before)
            except ConnectorError as error:
                if error.retryable:
                    raise
                wrong = error
            after = await self._stat(self._source, key)
            if after is not None and after.version == before.version:
                if wrong is not None:
                    raise wrong
                return outcome
        raise ConnectorError(f"{key!r} changes while it is copied", hint="stop what writes it, and copy again")

    async def _settle(self, info: ObjectInfo) -> Outcome:
        """Make the target's object the same. Raises ConnectorError when it does not come out so."""
        there = await self._stat(self._target, info.key)
        if there is not None and not _unlike(info, there):
            digest = await self._digest(self._source, info.key, heard=True)
            if digest == await self._digest(self._target, info.key):
                if self._writes:
                    await self._hand_on_expiry(info, there)
                return Outcome.SAME
        outcome = Outcome.COPIED if there is None else Outcome.REPLACED
        if not self._writes:
            self._listener.moved(info.size)
            return outcome
        digest = await self._transfer(info)
        written = await self._stat(self._target, info.key)
        if written is None:
            raise ConnectorError("it is not there after it was written", hint="copy again")
        if unlike := _unlike(info, written):
            raise ConnectorError(f"it was written, and has another {' and '.join(unlike)} now")
        if digest != await self._digest(self._target, info.key):
            raise ConnectorError("it reads back with other bytes than were written", hint="copy again")
        await self._hand_on_expiry(info, written)
        return outcome

    async def _stat(self, end: End, key: str) -> ObjectInfo | None:
        try:
            found: ObjectInfo = await end.call("stat", lambda connector: connector.stat(key))
        except NotFoundError:
            return None
        return found

    async def _transfer(self, info: ObjectInfo) -> bytes:
        """Write the object to the target; the digest of what was read."""
        digest = hashlib.sha256()
        options: dict[str, Any] = {"content_type": info.content_type, "metadata": dict(info.metadata)}

        async def hashed() -> AsyncGenerator[bytes]:
            async with aclosing(self._pieces(self._source, info.key)) as pieces:
                async for piece in pieces:
                    digest.update(piece)
                    self._listener.moved(len(piece))
                    yield piece

        if self._target.can("stream"):
            await self._target.feed(
                "write_stream",
                hashed(),
                lambda connector, chunks: connector.write_stream(info.key, chunks, **options),
            )
        else:
            data = b"".join([piece async for piece in hashed()])
            await self._target.call("write", lambda connector: connector.write(info.key, data, **options))
        return digest.digest()

    async def _hand_on_expiry(self, info: ObjectInfo, there: ObjectInfo) -> None:
        if (info.expires is None and there.expires is None) or (
            info.expires is not None and there.expires is not None and abs(info.expires - there.expires) < _CLOCKS
        ):
            return
        if not self._target.can("expire"):
            raise ConnectorError("it expires, and the target lets nothing expire")
        # What expires this moment has to be there for a moment yet.
        seconds = None if info.expires is None else max(info.expires - time.time(), 1.0)
        await self._target.call("expire", lambda connector: connector.expire(info.key, seconds))

    async def _digest(self, end: End, key: str, *, heard: bool = False) -> bytes:
        digest = hashlib.sha256()
        async with aclosing(self._pieces(end, key)) as pieces:
            async for piece in pieces:
                digest.update(piece)
                if heard:
                    self._listener.moved(len(piece))
        return digest.digest()

    async def _pieces(self, end: End, key: str) -> AsyncGenerator[bytes]:
        try:
            if not end.can("stream"):
                yield await end.call("read", lambda connector: connector.read(key))
                return
            async with aclosing(end.stream("read_stream", lambda connector: connector.read_stream(key))) as pieces:
                async for piece in pieces:
                    yield piece
        except NotFoundError as error:
            # Of the source alone: that a bucket of the target is missing must not look like this.
            if end is self._source:
                raise _GoneError from error
            raise

    async def _compare_lists(self) -> None:
        """Go through both lists side by side: what is in the source must be in the target, and as large."""
        async with aclosing(self._objects(self._target)) as theirs:
            other = await anext(theirs, None)
            async with aclosing(self._objects(self._source)) as ours:
                async for info in ours:
                    while other is not None and other.key < info.key:
                        other = await anext(theirs, None)
                    if self._report.knows(info.key):
                        continue
                    if other is None or other.key != info.key:
                        await self._report_missing(info.key)
                    elif other.size != info.size:
                        self._report.differs(info.key, f"it has {other.size} bytes there, and {info.size} here")

    async def _report_missing(self, key: str) -> None:
        if await self._stat(self._target, key) is None and await self._stat(self._source, key) is not None:
            self._report.differs(key, "it is not there")


class _GoneError(Exception):
    """The source has the object no longer."""


def _unlike(one: ObjectInfo, other: ObjectInfo) -> list[str]:
    """What differs between two objects but for bytes, versions, times and expiry."""
    pairs = {
        "size": (one.size, other.size),
        "content type": (one.content_type, other.content_type),
        "metadata": (dict(one.metadata), dict(other.metadata)),
    }
    return [name for name, (mine, theirs) in pairs.items() if mine != theirs]
