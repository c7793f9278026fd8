"""JSON as text: read so that an error says where it is, and written so that nothing is lost."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf
from typing import Any

from sre_core.workflows.json_places import Repeated, opening_deeper_than, position, repeated_keys, scalar

__all__ = ["DEPTH", "Parsed", "dump", "kind", "parse", "same"]

DEPTH = 200
"""How deep objects and lists may lie in each other; the files of editors reach 10."""

_COMPLAINTS = {
    "Expecting value": "a value is expected",
    "Expecting property name enclosed in double quotes": "a key between double quotes is expected",
    "Expecting ':' delimiter": "':' is expected",
    "Expecting ',' delimiter": "',' or a closing bracket is expected",
    "Extra data": "something follows after the end",
    "Unterminated string starting at": "a text begins and is not closed",
    "Invalid control character at": "a line break, or another control character, stands in a text",
}
"""What the parser says, in plain words."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"{\0", b"\0{", b"\0\0\0{")
"""How a file begins that holds an object in an encoding of two bytes, or four."""
_DIGITS = 1000
_COMMENT = ("//", "/*", "#")
_CLOSED_AFTER_COMMA = re.compile(r",\s*[}\]]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A JSON value, and the keys that stood more than once in one object: of those only the last is in `value`."""

    value: Any
    repeated: tuple[Repeated, ...] = ()


class _UnkeptError(ValueError):
    """A number that cannot be kept. `digits` is how it begins in the text."""

    def __init__(self, message: str, digits: str) -> None:
        super().__init__(message)
        self.digits = digits


def parse(text: str | bytes) -> Parsed:
    """Read a JSON text, in UTF-8 where it is bytes. Raises ValueError that says what is wrong with it, and where."""
    has_repeated = False

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal has_repeated
        made = dict(pairs)
        has_repeated = has_repeated or len(made) < len(pairs)
        return made

    decoded = _decoded(text)
    try:
        value = json.loads(
            decoded, object_pairs_hook=collect, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        raise ValueError(_placed(f"this is not JSON: {_complaint(error)}", decoded, error.pos)) from error
    except _UnkeptError as error:
        raise ValueError(_placed(str(error), decoded, scalar(decoded, error.digits))) from None
    except RecursionError as error:
        raise ValueError(_placed(_too_deep(), decoded, opening_deeper_than(decoded, DEPTH))) from error
    if not _is_shallow(value):
        raise ValueError(_placed(_too_deep(), decoded, opening_deeper_than(decoded, DEPTH)))
    return Parsed(value=value, repeated=tuple(repeated_keys(decoded)) if has_repeated else ())


def dump(value: Any, *, indent: int | None = None) -> str:
    """Write a JSON text: on one line without spaces, as editors of workflows do, or with an indent.

    Raises ValueError or TypeError for what is no JSON value.
    """
    separators = (",", ":") if indent is None else None
    try:
        text = json.dumps(
            value, ensure_ascii=False, allow_nan=False, indent=indent, separators=separators, default=_plain
        )
    except RecursionError as error:
        raise ValueError(_too_deep()) from error
    # Half of a surrogate pair is legal in JSON, as an escape, and in no encoding.
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def kind(value: Any) -> str:
    """What sort of JSON value it is, for messages."""
    return "null" if value is None else _KINDS.get(type(value), type(value).__name__)


def same(one: Any, other: Any) -> bool:
    """Whether two values are one JSON value, with their keys in the same order; unlike `==`, 1 is not true or 1.0."""
    if one is other:
        return True
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return len(one) == len(other) and all(
            key == twin and same(value, other[twin]) for (key, value), twin in zip(one.items(), other, strict=True)
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(same(item, twin) for item, twin in zip(one, other, strict=True))
    return type(one) is type(other) and bool(one == other)


def _decoded(text: str | bytes) -> str:
    if isinstance(text, str):
        decoded = text.removeprefix("\ufeff")
    else:
        if text.startswith(_UTF_16):
            raise ValueError("this is no text in UTF-8, and looks like UTF-16: save it in UTF-8")
        try:
            decoded = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"this is no text in UTF-8: byte {error.start} cannot be read") from error
    if not decoded.strip():
        raise ValueError("the file is empty")
    return decoded


def _complaint(error: json.JSONDecodeError) -> str:
    """What is wrong, for people who write JSON by hand."""
    text, at = error.doc, error.pos
    if text.startswith(_COMMENT, at):
        return "JSON has no comments, and here one begins"
    # The parsers of some versions point to the comma, and others to the bracket.
    comma = at if text.startswith(",", at) else len(text[:at].rstrip()) - 1
    if comma >= 0 and _CLOSED_AFTER_COMMA.match(text, comma):
        return "there is a comma before a closing bracket"
    if text.startswith("'", at):
        return "texts and keys stand between double quotes"
    if not text[at:].strip():
        return "the text ends before it is complete"
    return _COMPLAINTS.get(error.msg, error.msg)


def _placed(message: str, text: str, start: int | None) -> str:
    if start is None:
        return message
    line, column = position(text, start)
    return f"{message}, in line {line}, column {column}"


def _no_constant(name: str) -> Any:
    raise _UnkeptError(f"this is not JSON: {name} is no number", name)


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise _UnkeptError(f"the number {digits[:40]} is too large to be kept", digits)
    return number


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise _UnkeptError(f"a number has more than {_DIGITS} digits", digits)
    return int(digits)


def _is_shallow(value: Any) -> bool:
    """Goes down level by level: a value that is deep enough would break whatever calls itself."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEPTH):
        if not level:
            return True
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
    return not level


def _too_deep() -> str:
    return f"objects and lists lie in each other more than {DEPTH} deep"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")
