"""Records as rows that Milvus can keep, checked before anything is sent. Needs numpy, so only `start` leads here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sre_core.builtin.vector_index import Floats, read_vectors
from sre_core.connectors.vectors import VectorRecord
from sre_core.errors import ConfigError
from sre_milvus.metadata import pack
from sre_milvus.places import Place

__all__ = ["LONGEST_TEXT", "Row", "batches", "rows_of"]

LONGEST_TEXT = 65535
"""Bytes of a text, or of an id, in Milvus."""

_ROW_BYTES = 64
_MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """`vector` has float32 values, `metadata` is JSON."""

    id: str
    vector: Floats
    text: str
    metadata: bytes
    size: int


def rows_of(place: Place, records: Sequence[VectorRecord]) -> list[Row]:
    """The rows of a batch, one for each id, the last. Raises ConfigError, naming the record that cannot be kept."""
    vectors = read_vectors(records, place.dimension)
    rows: dict[str, Row] = {}
    for record, vector in zip(records, vectors, strict=True):
        metadata = pack(record.metadata, record.id)
        size = _length(place.key_of(record.id), f"the id {record.id[:80]!r}") + _length(
            record.text, f"the text of {record.id!r}"
        )
        size += len(metadata) + vector.nbytes + _ROW_BYTES
        rows[record.id] = Row(record.id, vector, record.text, metadata, size)
    return list(rows.values())


def batches(rows: Sequence[Row], most_bytes: int) -> Iterator[Sequence[Row]]:
    """The rows in parts of at most so many bytes, or of one row."""
    start, size = 0, 0
    for position, row in enumerate(rows):
        if position > start and (size + row.size > most_bytes or position - start == _MOST_ROWS):
            yield rows[start:position]
            start, size = position, 0
        size += row.size
    if start < len(rows):
        yield rows[start:]


def _length(text: str, what: str) -> int:
    try:
        length = len(text.encode())
    except UnicodeEncodeError as error:
        raise ConfigError(f"{what} is no Unicode text", hint="leave surrogates out") from error
    if length > LONGEST_TEXT:
        raise ConfigError(
            f"{what} has {length} bytes, more than the {LONGEST_TEXT} that Milvus takes",
            hint="cut a long text into several records, or keep it in storage",
        )
    return length
