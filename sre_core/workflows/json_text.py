"""JSON as text: read so that an error says where it is, and written so that nothing is lost."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import isinf
from typing import Any

__all__ = ["DEPTH", "Parsed", "dump", "kind", "parse", "same"]

DEPTH = 200
"""How deep objects and lists may lie in each other; the files of editors reach 10."""

_DIGITS = 1000
_SURROGATE = re.compile("[\ud800-\udfff]")
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A JSON value, and the keys that stood more than once in one object: of those only the last is in `value`."""

    value: Any
    repeated: tuple[str, ...] = ()


def parse(text: str | bytes) -> Parsed:
    """Read a JSON text, in UTF-8 where it is bytes. Raises ValueError that says what is wrong with it, and where."""
    repeated: list[str] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            times = Counter(key for key, _ in pairs)
            repeated.extend(key for key in made if times[key] > 1)
        return made

    decoded = _decoded(text)
    try:
        value = json.loads(
            decoded, object_pairs_hook=collect, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise ValueError(_too_deep()) from error
    if not _is_shallow(value):
        raise ValueError(_too_deep())
    return Parsed(value=value, repeated=tuple(repeated))


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
        try:
            decoded = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ValueError(f"this is no text in UTF-8: byte {error.start} cannot be read") from error
    if not decoded.strip():
        raise ValueError("the file is empty")
    return decoded


def _no_constant(name: str) -> Any:
    raise ValueError(f"this is not JSON: {name} is no number")


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError(f"the number {digits[:40]} is too large to be kept")
    return number


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number has more than {_DIGITS} digits")
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
