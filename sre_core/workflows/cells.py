"""Text in the cells of a terminal, and a grid of them to draw boxes and lines in."""

import unicodedata
from collections.abc import Sequence
from itertools import pairwise

__all__ = ["Grid", "clean", "cut", "width"]

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_LINES = " ╵╷│╴┘┐┤╶└┌├─┴┬┼"
"""The box-drawing characters, at the sum of the directions that they lead to."""


def clean(text: str) -> str:
    """`text` on one line and without anything that a terminal would obey."""
    line = " ".join(text.split())
    return "".join("\ufffd" if unicodedata.category(char).startswith("C") else char for char in line)


def width(text: str) -> int:
    """How many cells a text without control characters takes."""
    return sum(map(_cells, text))


def cut(text: str, room: int) -> str:
    """`text` in at most `room` cells; one that is cut ends in "…"."""
    if width(text) <= room:
        return text
    taken = 0
    for position, char in enumerate(text):
        taken += _cells(char)
        if taken >= room:
            return text[:position] + ("…" if room > 0 else "")
    return text


def _cells(char: str) -> int:
    if unicodedata.combining(char):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class Grid:
    """Cells by row and column. It grows as it is drawn in, and lines that meet become one."""

    def __init__(self) -> None:
        self._lines: dict[tuple[int, int], int] = {}
        self._text: dict[tuple[int, int], str] = {}

    def write(self, row: int, column: int, text: str) -> None:
        """Put a clean text over whatever is there."""
        for char in text:
            size = _cells(char)
            if size == 0:
                if (row, column - 1) in self._text:
                    self._text[row, column - 1] += char
                continue
            self._text[row, column] = char
            if size == 2:
                # The second cell of a wide character holds nothing of its own.
                self._text[row, column + 1] = ""
            column += size

    def line(self, points: Sequence[tuple[int, int]]) -> None:
        """A line through the points, of which each has its row or its column in common with the next."""
        for (row, column), (to_row, to_column) in pairwise(points):
            for below in range(min(row, to_row), max(row, to_row)):
                self._join((below, column), _DOWN)
                self._join((below + 1, column), _UP)
            for before in range(min(column, to_column), max(column, to_column)):
                self._join((row, before), _RIGHT)
                self._join((row, before + 1), _LEFT)

    def box(self, top: int, left: int, bottom: int, right: int) -> None:
        """The four sides of a box."""
        self.line([(top, left), (top, right), (bottom, right), (bottom, left), (top, left)])

    def __str__(self) -> str:
        cells = {place: _LINES[directions] for place, directions in self._lines.items()} | self._text
        rows: dict[int, dict[int, str]] = {}
        for (row, column), char in cells.items():
            rows.setdefault(row, {})[column] = char
        return "\n".join(_joined(rows.get(row, {})) for row in range(max(rows, default=-1) + 1))

    def _join(self, place: tuple[int, int], direction: int) -> None:
        self._lines[place] = self._lines.get(place, 0) | direction


def _joined(row: dict[int, str]) -> str:
    return "".join(row.get(column, " ") for column in range(max(row, default=-1) + 1)).rstrip()
