"""Metadata, and the text, in the form in which Pinecone keeps and filters them.

The first letter of a key tells the kind of its value: `{"lang": "en", "year": 1843, "alive": False}` is kept as
`{"s_lang": "en", "n_year": 1843, "b_alive": 0, "int": ["year"]}`. So a condition on text never meets a number, whatever
Pinecone thinks of `1 == true`. It makes floating-point numbers of whole ones: `int` names those that were, and what
would lose digits is kept as text besides. The text is under the key `text`. No other key is without an underscore.
"""

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from sre_core.connectors.vectors import Scalar, VectorRecord
from sre_core.errors import ConfigError

__all__ = ["BOOLEAN", "EXACT", "LONGEST_METADATA", "NUMBER", "TEXT", "key_of", "kind_of", "pack", "unpack"]

BOOLEAN = "b"
EXACT = 1 << 53
"""From here on, a floating-point number stands for several whole ones."""

LONGEST_METADATA = 40_960
"""Bytes of metadata of one record, the text included."""

NUMBER = "n"
TEXT = "s"

_DIGITS = "d"
_WHOLE = "int"
_CONTENT = "text"
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_]")


def kind_of(value: Scalar) -> str:
    """TEXT, NUMBER or BOOLEAN."""
    if isinstance(value, bool):
        return BOOLEAN
    return TEXT if isinstance(value, str) else NUMBER


def key_of(kind: str, field: str) -> str:
    """The key under which a value of this kind is kept; it has no character that could mean anything in a filter."""
    return f"{kind}_{_NOT_PLAIN.sub(_escaped, field)}"


def pack(record: VectorRecord) -> dict[str, Any]:
    """The metadata and the text of a record. Raises ConfigError for what Pinecone cannot keep, naming the record."""
    packed: dict[str, Any] = {}
    whole: list[str] = []
    for field, value in record.metadata.items():
        if not isinstance(value, str | int | float):
            raise _unkept(record, field, f"is {value!r}", "use text, numbers or booleans")
        if isinstance(value, bool):
            packed[key_of(BOOLEAN, field)] = int(value)
        elif isinstance(value, str):
            packed[key_of(TEXT, field)] = value
        else:
            packed[key_of(NUMBER, field)] = _number(record, field, value)
            if isinstance(value, int):
                whole.append(key_of(NUMBER, field)[2:])
                if abs(value) >= EXACT:
                    packed[key_of(_DIGITS, field)] = str(value)
    if whole:
        packed[_WHOLE] = whole
    if record.text:
        packed[_CONTENT] = record.text
    return packed


def unpack(packed: Mapping[str, Any]) -> tuple[dict[str, Scalar], str]:
    """The metadata and the text that `pack` made this of; what others have put into it is left out."""
    named = packed.get(_WHOLE)
    whole = set(named) if isinstance(named, list) else set()
    found: dict[str, Scalar] = {}
    for key, value in packed.items():
        kind, rest = key[:2], key[2:]
        if kind == f"{TEXT}_":
            found[unquote(rest)] = value
        elif kind == f"{BOOLEAN}_":
            found[unquote(rest)] = bool(value)
        elif kind == f"{NUMBER}_":
            digits = packed.get(f"{_DIGITS}_{rest}")
            found[unquote(rest)] = int(digits or value) if rest in whole else float(value)
    return found, str(packed.get(_CONTENT, ""))


def _number(record: VectorRecord, field: str, value: int | float) -> int | float:
    try:
        number = float(value)
    except OverflowError as error:
        raise _unkept(record, field, "is a number of hundreds of digits", "keep it as text") from error
    if not math.isfinite(number):
        raise _unkept(record, field, f"is {value!r}", "Pinecone keeps finite numbers only")
    return value if isinstance(value, int) and abs(value) < EXACT else number


def _unkept(record: VectorRecord, field: str, why: str, hint: str) -> ConfigError:
    return ConfigError(f"metadata {field!r} of {record.id[:80]!r} {why}", hint=hint)


def _escaped(match: re.Match[str]) -> str:
    # Surrogates are refused where records are read; in a condition they are a field that no record has.
    return "".join(f"%{byte:02X}" for byte in match[0].encode(errors="surrogatepass"))
