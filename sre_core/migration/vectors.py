"""Copies collections of vectors from one database to another: in batches, and only what is not there already."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from sre_core.connectors.vectors import CollectionInfo, VectorRecord
from sre_core.errors import ConfigError, ConnectorError, UnsupportedError
from sre_core.migration.ends import End, is_fatal, patiently, spread
from sre_core.migration.report import Listener, Outcome, Report, Survey

__all__ = ["VectorsCopy"]

_BATCH = 128

Digests = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class _Batch:
    records: Sequence[VectorRecord]
    digests: Digests


class VectorsCopy:
    """Collections with their dimension and metric, and all records: vectors as float32, metadata, text.

    Records that the target has with the same content are left alone, if it can give its records back (capability
    "scan"); else all are written again. Of each record there are eight bytes in memory, those of its digest. At the
    end both sides are read and compared.
    """

    def __init__(
        self, source: End, target: End, *, prefix: str = "", jobs: int = 4, listener: Listener | None = None
    ) -> None:
        """`prefix` narrows it to the collections there and below; `jobs` batches are on their way at once."""
        self._source = source
        self._target = target
        self._prefix = prefix
        self._jobs = jobs
        self._listener = listener or Listener()
        self._report = Report()

    async def survey(self) -> Survey:
        """Count collections, and the records in them. Raises ConnectorError."""
        found = await self._collections(self._source, self._prefix)
        return Survey(
            count=len(found), size=sum(info.count for info in found), names=tuple(info.name for info in found)
        )

    async def run(self, *, write: bool = True) -> Report:
        """Copy everything, or with `write` false find out what there is to copy. Counts are of records.

        A collection that cannot be copied is a difference in the report. Raises UnsupportedError when the source
        cannot give its records back, and ConnectorError when an end is gone or lets nobody in.
        """
        self._report = Report()
        await self._source.start()
        await self._target.start()
        if not self._source.can("scan"):
            raise UnsupportedError(
                f"vectors connector {self._source.connector!r} cannot give its records back",
                hint="to be copied from, it needs the capability 'scan'",
            )
        for info in await self._collections(self._source, self._prefix):
            try:
                await self._copy(info, write=write)
            except (ConnectorError, ConfigError) as error:
                if await is_fatal(error, self._source, self._target):
                    raise
                self._report.differs(info.name, error.message)
        if not self._target.can("scan"):
            self._report.notes.append(
                f"{self._target.connector!r} cannot give its records back, so they were counted and not compared"
            )
        return self._report

    async def _copy(self, info: CollectionInfo, *, write: bool) -> None:
        there = next((one for one in await self._collections(self._target, info.name) if one.name == info.name), None)
        if there is not None and (there.dimension, there.metric) != (info.dimension, info.metric):
            self._report.differs(
                info.name,
                f"the target has it with dimension {there.dimension} and metric {there.metric}, "
                f"the source with {info.dimension} and {info.metric}",
            )
            return
        if there is None and write:
            await self._target.call(
                "create", lambda connector: connector.create(info.name, info.dimension, metric=info.metric)
            )
        known = await self._known(info.name) if there is not None and there.count else _NONE

        async def put(batch: _Batch) -> None:
            new = [
                record
                for record, is_there in zip(batch.records, _among(batch.digests, known), strict=True)
                if not is_there
            ]
            if new and write:
                await patiently(lambda: self._target.call("upsert", lambda connector: connector.upsert(info.name, new)))
            self._report.count(Outcome.COPIED, len(new))
            self._report.count(Outcome.SAME, len(batch.records) - len(new))
            self._listener.moved(len(batch.records))

        await spread(self._batches(self._source, info.name), put, jobs=self._jobs)
        if write:
            await self._compare(info)
        self._listener.done(info.name, Outcome.COPIED if there is None else Outcome.SAME)

    async def _compare(self, info: CollectionInfo) -> None:
        """Read both sides: each record of the source must be in the target, the same."""
        if not self._target.can("scan"):
            found = await self._collections(self._target, info.name)
            count = sum(one.count for one in found if one.name == info.name)
            if count < info.count:
                self._report.differs(info.name, f"it has {count} records there, and {info.count} here")
            return
        known = await self._known(info.name)
        async with aclosing(self._batches(self._source, info.name)) as batches:
            async for batch in batches:
                for record, is_there in zip(batch.records, _among(batch.digests, known), strict=True):
                    if not is_there:
                        self._report.differs(f"{info.name}: {record.id}", "it is not there, or not the same")

    async def _known(self, collection: str) -> Digests:
        """The digests of what the target has, in order; nothing when it cannot say."""
        if not self._target.can("scan"):
            return _NONE
        async with aclosing(self._batches(self._target, collection)) as batches:
            found = [batch.digests async for batch in batches]
        return np.sort(np.concatenate(found)) if found else _NONE

    async def _batches(self, end: End, collection: str) -> AsyncGenerator[_Batch]:
        records: list[VectorRecord] = []
        async with aclosing(end.stream("scan", lambda connector: connector.scan(collection))) as scan:
            async for record in scan:
                records.append(record)
                if len(records) == _BATCH:
                    yield _Batch(records, _digests(records))
                    records = []
        if records:
            yield _Batch(records, _digests(records))

    async def _collections(self, end: End, prefix: str) -> list[CollectionInfo]:
        found: list[CollectionInfo] = await end.call("collections", lambda connector: connector.collections(prefix))
        return found


_NONE: Digests = np.empty(0, dtype=np.uint64)


def _digests(records: Sequence[VectorRecord]) -> Digests:
    return np.fromiter((_digest(record) for record in records), dtype=np.uint64, count=len(records))


def _digest(record: VectorRecord) -> int:
    content: list[Any] = [record.id, record.text, sorted(record.metadata.items())]
    digest = xxhash.xxh3_64(json.dumps(content).encode())
    # Of two zeros one is negative, and no database promises to tell them apart.
    digest.update((np.asarray(record.vector, dtype="<f4") + np.float32(0)).tobytes())
    return digest.intdigest()


def _among(digests: Digests, known: Digests) -> list[bool]:
    """Of each digest, whether it is among those that are known, which are in order."""
    if not len(known):
        return [False] * len(digests)
    places = np.minimum(np.searchsorted(known, digests), len(known) - 1)
    found: list[bool] = (known[places] == digests).tolist()
    return found
