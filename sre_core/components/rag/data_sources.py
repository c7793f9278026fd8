"""Data sources: texts that an agent's team can be asked about, cut into chunks, in collections of vectors.

A namespace is a collection in the team's home, and a data source the records there that carry its id. Each indexing
writes a generation of records, whole, before it removes the older ones: whenever it is killed, the text of before or
the new one is there. Of several at once the youngest stays, also when they run on different machines.
"""

import re
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import anyio

from sre_core import logs
from sre_core.access.candidate import Candidate
from sre_core.access.resource import check_part
from sre_core.components.context import ComponentContext
from sre_core.components.rag.embedder import Embedder, is_same_model
from sre_core.connectors import Vectors
from sre_core.connectors.vectors import CollectionInfo, Match, Scalar, VectorRecord
from sre_core.errors import ComponentError, ConfigError, ConflictError, NotFoundError, SREError

__all__ = ["MAX_NAMESPACE", "DataSources", "Piece", "Source", "clean_text"]

log = logs.get_logger(__name__)

MAX_NAMESPACE = 80
"""Longest name of a namespace, in characters."""

_FOLDER = "data-sources"
_BATCH = 64
_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_TICK = 10_000  # nanoseconds
_RANDOM = 16
_CLEAN_UP = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A chunk of a text, and the title of the page or section that its middle lies in."""

    text: str
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is indexed under one id; `metadata` goes with every chunk."""

    id: str
    label: str
    pieces: Sequence[Piece]
    metadata: str = ""


class DataSources:
    """The data sources of one namespace, as the agent may use them."""

    def __init__(self, namespace: str, context: ComponentContext) -> None:
        """Names are as in SmythOS: without a difference of case, with "_" for blanks. Raises ComponentError."""
        self.namespace = _namespace(namespace)
        self._team = context.agent.team
        self._collection = f"{_FOLDER}/{self.namespace}"
        self._vectors: Vectors = context.vectors.of(Candidate.team(self._team))

    def full_id(self, given: str) -> str:
        """`<team>::<namespace>::<id>` for an id, which may be whole already. Raises ComponentError."""
        prefix = f"{self._team}::{self.namespace}::"
        short = given.strip().removeprefix(prefix)
        if not _ID.fullmatch(short):
            raise ComponentError(
                f"illegal id of a data source {given[:200]!r}",
                hint="use 1 to 128 ASCII letters, digits, '-', '_' and '.'",
            )
        return prefix + short

    async def put(self, source: Source, embedder: Embedder, *, replace: bool = True) -> None:
        """Index a source, and remove what was indexed under its id before.

        Without `replace` it is a ComponentError if that is there. Raises ComponentError when another model made the
        namespace, and what model and vectors raise; then nothing is changed.
        """
        generation = _new_generation()
        mine = {"datasource": source.id, "generation": generation}
        pieces = source.pieces
        first = await embedder.embed([piece.text for piece in pieces[:_BATCH]])
        await self._open(len(first[0]), first[0], embedder)
        if not replace and await self._is_there(source.id, first[0], 0):
            raise ComponentError(
                f"there is a data source {source.id!r} already", hint="clean it first; version v1 replaces it"
            )
        try:
            await self._upsert(source, 0, first, generation, embedder)
            for start in range(_BATCH, len(pieces), _BATCH):
                vectors = await embedder.embed([piece.text for piece in pieces[start : start + _BATCH]])
                await self._upsert(source, start, vectors, generation, embedder)
        except BaseException:
            await self._undo(mine)
            raise
        if await self._is_there(source.id, first[0], generation):
            await self._vectors.delete(self._collection, where=mine)
        else:
            await self._vectors.delete(
                self._collection, where={"datasource": source.id, "generation": {"lt": generation}}
            )

    async def find(self, query: str, embedder: Embedder, *, k: int) -> list[Match]:
        """The chunks that are nearest to a question. Raises ComponentError where nothing was ever indexed."""
        vector = (await embedder.embed([query]))[0]
        try:
            matches = await self._vectors.query(self._collection, vector, k=k)
        except NotFoundError as error:
            raise ComponentError(
                f"the namespace {self.namespace!r} has no data sources", hint="index one first"
            ) from error
        except ConfigError:
            info = await self._info()
            if info is not None:
                self._check_dimension(info, len(vector), embedder)
            raise
        self._check_model(matches, embedder)
        return matches

    async def remove(self, source_id: str) -> None:
        """Forget a data source; one that is not there is no error."""
        with suppress(NotFoundError):
            await self._vectors.delete(self._collection, where={"datasource": source_id})

    async def _open(self, dimension: int, sample: Sequence[float], embedder: Embedder) -> None:
        """Make the collection, or see that it fits the model."""
        try:
            await self._vectors.create(self._collection, dimension, exist_ok=True)
        except ConflictError:
            # It has another dimension, or somebody was faster.
            info = await self._info()
            if info is None:
                raise
            if info.dimension != dimension and not info.count:
                await self._vectors.drop(self._collection)
                await self._vectors.create(self._collection, dimension, exist_ok=True)
            else:
                self._check_dimension(info, dimension, embedder)
        self._check_model(await self._vectors.query(self._collection, sample, k=1), embedder)

    async def _info(self) -> CollectionInfo | None:
        found = await self._vectors.collections(self._collection)
        return next((info for info in found if info.name == self._collection), None)

    def _check_dimension(self, info: CollectionInfo, dimension: int, embedder: Embedder) -> None:
        if info.dimension != dimension:
            raise self._other_model(
                embedder, f"{info.dimension} numbers in its vectors, and {embedder.name!r} makes {dimension}"
            )

    def _check_model(self, matches: Sequence[Match], embedder: Embedder) -> None:
        for match in matches:
            model = str(match.metadata.get("model", embedder.name))
            if not is_same_model(model, embedder.name):
                raise self._other_model(embedder, f"vectors of {model!r}, and these would be of {embedder.name!r}")

    def _other_model(self, embedder: Embedder, why: str) -> ComponentError:
        return ComponentError(
            f"the namespace {self.namespace!r} was indexed with another model than {embedder.name!r}: it has {why}",
            hint="name that model in the node's embeddingModel, clean the namespace, or take another one",
        )

    async def _is_there(self, source_id: str, vector: Sequence[float], after: int) -> bool:
        """Whether a generation that is younger than `after` was indexed to its end."""
        where = {"datasource": source_id, "last": True, "generation": {"gt": after}}
        return bool(await self._vectors.query(self._collection, vector, k=1, where=where))

    async def _upsert(
        self, source: Source, start: int, vectors: Sequence[Sequence[float]], generation: int, embedder: Embedder
    ) -> None:
        short = source.id.rpartition("::")[2]
        pieces = source.pieces[start : start + len(vectors)]
        records: list[VectorRecord] = []
        for number, (piece, vector) in enumerate(zip(pieces, vectors, strict=True), start):
            metadata: dict[str, Scalar] = {
                "datasource": source.id,
                "label": source.label,
                "chunk": number,
                "section": piece.section,
                "last": number == len(source.pieces) - 1,
                "generation": generation,
                "model": embedder.name,
                "user_metadata": source.metadata,
            }
            id_ = f"{short}.{generation}.{number}"
            records.append(VectorRecord(id=id_, vector=vector, metadata=metadata, text=piece.text))
        await self._vectors.upsert(self._collection, records)

    async def _undo(self, mine: dict[str, Any]) -> None:
        """Take back what was written, as well as that goes: the error that led here is the one to hear of."""
        with anyio.move_on_after(_CLEAN_UP, shield=True):
            try:
                await self._vectors.delete(self._collection, where=mine)
            except SREError as error:
                log.warning("data_source_not_undone", source=mine["datasource"], error=error.message)


def clean_text(text: str) -> str:
    """Text without NULs and halves of characters, which JSON may bring, and models and databases do not take."""
    return text.replace("\0", "").encode("utf-8", errors="replace").decode()


def _namespace(given: str) -> str:
    name = re.sub(r"\s+", "_", given.strip()).lower()
    if not name:
        raise ComponentError("it has no namespace", hint="name the namespace of the data source")
    if "/" in name or "{{" in name or len(name) > MAX_NAMESPACE:
        raise ComponentError(
            f"illegal namespace {name[:200]!r}", hint=f"use up to {MAX_NAMESPACE} characters, with no '/' and no '{{{{'"
        )
    return check_part(name, name)


def _new_generation() -> int:
    """A number that grows with time: no indexing is as short as a tick. A float holds it without loss until 2148."""
    return time.time_ns() // _TICK * _RANDOM + secrets.randbelow(_RANDOM)
