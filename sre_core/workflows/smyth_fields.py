"""Reads single fields of a `.smyth` file, and notes each that has a value of the wrong kind."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sre_core.workflows.json_text import kind
from sre_core.workflows.problem import Place, Problem

__all__ = ["Fields"]

_NUMBER = re.compile(r"-?[0-9]{1,9}")
_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"", "false", "0", "no", "off"})


class Fields:
    """Reads the fields of one file. Nothing in it raises: `problems` grows, and something usable is returned."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def text(self, raw: Mapping[str, Any], key: str, place: Place) -> str:
        """A text, or a number as text; "" where it is missing or null."""
        value = raw.get(key)
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        self._wrong(value, "a text", place.at(key))
        return ""

    def needed(self, raw: Mapping[str, Any], key: str, place: Place, what: str) -> str:
        """A text that must be there, and is called `what`."""
        found = self.text(raw, key, place)
        if not found and raw.get(key) in (None, ""):
            self.problems.append(place.at(key).error(f"there is no {what}"))
        return found

    def flag(self, raw: Mapping[str, Any], key: str, place: Place) -> bool:
        """True or false, which may be written as a text or as 1 or 0."""
        value = raw.get(key)
        if isinstance(value, bool):
            return value
        word = "" if value is None else str(value).strip().lower() if isinstance(value, str | int) else None
        if word in _TRUE:
            return True
        if word not in _FALSE:
            self._wrong(value, "true or false", place.at(key))
        return False

    def mapping(self, raw: Mapping[str, Any], key: str, place: Place) -> Mapping[str, Any]:
        """An object; an empty one where it is missing or null."""
        value = raw.get(key)
        if isinstance(value, dict):
            return value
        if value is not None:
            self._wrong(value, "an object", place.at(key))
        return {}

    def objects(
        self, raw: Mapping[str, Any], key: str, place: Place
    ) -> Iterator[tuple[Mapping[str, Any] | None, Place]]:
        """The objects of a list with their places; None for an item that is none, since positions count."""
        values = raw.get(key)
        if values is None:
            return
        if not isinstance(values, list):
            self._wrong(values, "a list", place.at(key))
            return
        inside = place.at(key)
        for position, value in enumerate(values):
            here = inside.at(position)
            if isinstance(value, dict):
                yield value, here
            else:
                self._wrong(value, "an object", here)
                yield None, here

    def port(self, raw: Mapping[str, Any], key: str, place: Place, find: Callable[[str], int | None]) -> int | None:
        """The position that a link names, by number or by the name of a port; None where it names none.

        A name comes first, so that a port that is called "2" can be meant.
        """
        value = raw.get(key)
        if isinstance(value, str):
            found = find(value)
            if found is not None:
                return found
            return int(value) if _NUMBER.fullmatch(value) else None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, float) and value.is_integer():
            return int(value)
        self._wrong(value, "the position or the name of a port", place.at(key))
        return None

    def _wrong(self, value: Any, wanted: str, place: Place) -> None:
        self.problems.append(place.error(f"must be {wanted}, not {kind(value)}"))
