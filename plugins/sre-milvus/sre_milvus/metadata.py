"""Metadata as one flat JSON object in which the key of a value says whether it is text, a number or a boolean.

`{"lang": "en", "year": 1843, "alive": False}` is kept as `{"s_lang": "en", "n_year": 1843, "b_alive": 0}`. So a
condition on text never meets a number, whatever a server thinks of `1 == true` or `"1" < 2`: those are other keys.
"""

import json
import math
import re
from collections.abc import Mapping
from urllib.parse import unquote

from sre_core.connectors.vectors import Scalar
from sre_core.errors import ConfigError

__all__ = ["BOOLEAN", "LONGEST_METADATA", "NUMBER", "TEXT", "key_of", "kind_of", "pack", "unpack"]

BOOLEAN = "b"
LONGEST_METADATA = 65536
"""Bytes of one JSON value in Milvus."""
NUMBER = "n"
TEXT = "s"

_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_]")


def kind_of(value: Scalar) -> str:
    """TEXT, NUMBER or BOOLEAN."""
    if isinstance(value, bool):
        return BOOLEAN
    return TEXT if isinstance(value, str) else NUMBER


def key_of(kind: str, field: str) -> str:
    """The key under which a value of this kind is kept; it has no character that means anything in a filter."""
    return f"{kind}_{_NOT_PLAIN.sub(_escaped, field)}"


def pack(metadata: Mapping[str, Scalar], record: str) -> bytes:
    """The JSON of the metadata of a record. Raises ConfigError for what Milvus cannot keep, naming `record`."""
    packed: dict[str, str | int | float] = {}
    for field, value in metadata.items():
        if not isinstance(value, str | int | float):
            raise ConfigError(f"metadata {field!r} of {record!r} is {value!r}", hint="use text, numbers or booleans")
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"metadata {field!r} of {record!r} is {value!r}", hint="Milvus keeps finite numbers only")
        if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
            raise ConfigError(
                f"metadata {field!r} of {record!r} has more than 64 bits", hint="keep such a number as text"
            )
        packed[key_of(kind_of(value), field)] = int(value) if isinstance(value, bool) else value
    text = json.dumps(packed, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"metadata of {record!r} is no Unicode text", hint="leave surrogates out") from error
    if len(raw) > LONGEST_METADATA:
        raise ConfigError(
            f"metadata of {record!r} has {len(raw)} bytes, more than the {LONGEST_METADATA} that Milvus takes",
            hint="keep long texts in the record's text, or in storage",
        )
    return raw


def unpack(raw: bytes) -> dict[str, Scalar]:
    """The metadata that `pack` made JSON of; what others have put into it is left out."""
    found: dict[str, Scalar] = {}
    for key, value in json.loads(raw or b"{}").items():
        kind, field = key[:2], unquote(key[2:])
        if kind == f"{BOOLEAN}_":
            found[field] = bool(value)
        elif kind in {f"{TEXT}_", f"{NUMBER}_"}:
            found[field] = value
    return found


def _escaped(match: re.Match[str]) -> str:
    # Surrogates are refused where records are read; in a condition they are a field that no record has.
    return "".join(f"%{byte:02X}" for byte in match[0].encode(errors="surrogatepass"))
