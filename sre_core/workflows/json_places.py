"""Finds places in a JSON text by its line and column: what a parser throws away."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from json import loads

__all__ = ["Repeated", "opening_deeper_than", "position", "repeated_keys", "scalar"]

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """A key that stands more than once in one object: the way to it, and where it stands for the last time."""

    keys: tuple[str | int, ...]
    line: int
    column: int


@dataclass(slots=True)
class _Level:
    """An object or a list that is not closed yet, and where in it the scan is."""

    is_object: bool
    key: str | int
    awaits_key: bool
    seen: set[str] = field(default_factory=set)
    again: dict[str, int] = field(default_factory=dict)


def position(text: str, start: int) -> tuple[int, int]:
    """Line and column of a character, both counted from 1."""
    return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)


def scalar(text: str, beginning: str) -> int | None:
    """Where the first number or word is that begins so, outside of texts and keys; None where there is none."""
    return next((found.start() for found in _TOKEN.finditer(text) if found[0].startswith(beginning)), None)


def opening_deeper_than(text: str, depth: int) -> int | None:
    """Where the first object or list begins that lies in `depth` others; None where there is none."""
    level = 0
    for found in _TOKEN.finditer(text):
        if found[0] in ("{", "["):
            level += 1
            if level > depth:
                return found.start()
        elif found[0] in ("}", "]"):
            level -= 1
    return None


def repeated_keys(text: str) -> Iterator[Repeated]:
    """The keys that stand more than once in one object of a sound JSON text; inner objects come first."""
    # Counted once: there may be as many of them as lines.
    breaks = [-1, *(found.start() for found in re.finditer("\n", text))]
    levels: list[_Level] = []
    for found in _TOKEN.finditer(text):
        part = found[0]
        if part in ("{", "["):
            is_object = part == "{"
            levels.append(_Level(is_object, "" if is_object else 0, is_object))
        elif part in ("}", "]"):
            closed = levels.pop()
            for key, start in closed.again.items():
                line = bisect_left(breaks, start)
                way = (*(level.key for level in levels), key)
                yield Repeated(keys=way, line=line, column=start - breaks[line - 1])
        elif levels:
            _go_on(levels[-1], part, found.start())


def _go_on(level: _Level, part: str, start: int) -> None:
    """Take in one part between the brackets of an object or a list."""
    if part == ",":
        level.awaits_key = level.is_object
        if isinstance(level.key, int):
            level.key += 1
    elif level.awaits_key:
        key: str = loads(part) if "\\" in part else part[1:-1]
        if key in level.seen:
            level.again[key] = start
        level.seen.add(key)
        level.key = key
        level.awaits_key = False
