"""Paths into values: "Response.items[0].id"."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["MISSING", "Missing", "look_up", "path_flaw", "split_path"]

_SEPARATORS = re.compile(r"[.\[\]]")
_PAIRED = re.compile(r"[^\[\]]*+(?:\[[^\[\]]*+\][^\[\]]*+)*+", re.DOTALL)
# No list is longer, and int() refuses thousands of digits.
_POSITION = re.compile(r"[0-9]{1,9}")


class Missing:
    """The type of MISSING."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = Missing()
"""What a path leads to where there is nothing: not the same as None, which somebody put there."""


def split_path(path: str) -> tuple[str, ...]:
    """The parts of a path; brackets and dots separate alike, and empty parts do not count."""
    return tuple(part for part in _SEPARATORS.split(path) if part)


def path_flaw(path: str) -> str:
    """What is odd in how a path is written, "ends with a dot", or "". It leads somewhere all the same."""
    if not _PAIRED.fullmatch(path):
        return "has a bracket without its other one"
    return "ends with a dot" if path.endswith(".") else ""


def look_up(value: Any, parts: Sequence[str]) -> Any:
    """What lies at the path in mappings and lists, or MISSING; `length` is that of a list or a text."""
    for part in parts:
        if isinstance(value, Mapping):
            value = value.get(part, MISSING)
        elif isinstance(value, list | tuple) and _POSITION.fullmatch(part) and int(part) < len(value):
            value = value[int(part)]
        elif part == "length" and isinstance(value, list | tuple | str):
            value = _length(value)
        else:
            return MISSING
    return value


def _length(value: Sequence[Any]) -> int:
    """As JavaScript counts: a text by its halves of surrogate pairs."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2 if isinstance(value, str) else len(value)
