"""Narrows a skill's parameters to what a request says, so that a small model copies values instead of inventing them.

What comes out is a JSON schema again, and accepts nothing that the original does not: strings are pieces of the
request, numbers are numbers of the request, and what is optional and not spoken of is left out.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from sre_smollm.prompts.stems import plain_name, stems
from sre_smollm.prompts.values import numbers, pieces, runs

__all__ = ["ground"]

# Beyond so many pieces the request is a document, and the model is left free.
_MOST_PIECES = 600
_MOST_LETTERS = 4000
_MOST_NUMBERS = 200
# Strings that are made from a request, not taken from it.
_MADE = re.compile(r"\b(code|codes|abbreviation|sql|expression|iso|json|regex|formula)\b", re.IGNORECASE)
_QUOTED = re.compile(r"['\"`]([\w /.-]{1,40})['\"`]")
_OPEN = ("enum", "const", "format", "pattern", "anyOf", "oneOf", "allOf", "$ref", "not")


def ground(parameters: Mapping[str, Any], words: str, *, name: str = "") -> dict[str, Any]:
    """`parameters` (a JSON schema of an object) narrowed to values that `words` hold.

    `name` is the skill's: what it says already is no part of a value (find_concert: rock, not rock concerts).
    Parts that the words say nothing about, and parts with a format, a pattern or alternatives, stay as they are.
    """
    definitions = {**parameters.get("definitions", {}), **parameters.get("$defs", {})}
    return _Words(words, name, definitions).object(parameters)


class _Words:
    """What one request holds."""

    def __init__(self, words: str, name: str, definitions: Mapping[str, Any]) -> None:
        self._words = words
        self._definitions = definitions
        named = stems(plain_name(name))
        found = pieces(words) if len(words) <= _MOST_LETTERS else []
        self._pieces = [piece for piece in found if not _says(piece, named)]
        self._numbers = numbers(words)
        self._runs = runs(words) if len(self._numbers) <= _MOST_NUMBERS else []
        self._stems = stems(words)

    def object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        properties = schema.get("properties")
        if not isinstance(properties, Mapping):
            return dict(schema)
        required = schema.get("required", ())
        properties = {name: self._named(part) for name, part in properties.items()}
        spare = len(self._numbers) - sum(_numeric(properties.get(name)) for name in required)
        kept = {
            name: self.value(part) if isinstance(part, Mapping) else part
            for name, part in properties.items()
            if name in required or not isinstance(part, Mapping) or self._meant(name, part, spare=spare > 0)
        }
        # An optional choice is only kept if the request names one, and then it is wanted.
        optional = {name: properties[name] for name in kept if name not in required}
        chosen = [name for name, part in optional.items() if isinstance(part, Mapping) and "enum" in part]
        return {**schema, "properties": kept, **({"required": [*required, *chosen]} if chosen else {})}

    def _named(self, schema: Any) -> Any:
        """The enumeration that a schema refers to, as Python's enums do, in its place."""
        name = schema.get("$ref", "").rpartition("/")[2] if isinstance(schema, Mapping) else ""
        found = self._definitions.get(name)
        if not isinstance(found, Mapping) or "enum" not in found:
            return schema
        return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}

    def value(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema of one value."""
        if "enum" in schema:
            return self._choice(schema)
        if any(key in schema for key in _OPEN):
            return dict(schema)
        match schema.get("type"):
            case "string":
                return self._text(schema)
            case "integer" | "number":
                return self._number(schema)
            case "array":
                return self._list(schema)
            case "object":
                return self.object(schema)
        return dict(schema)

    def _choice(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        said = [one for one in schema["enum"] if isinstance(one, str) and self._mentions(one)]
        return {**schema, "enum": said} if said else dict(schema)

    def _text(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        about = str(schema.get("description", ""))
        named = _QUOTED.findall(about)
        said = [one for one in named if self._mentions(one)]
        if len(named) > 1 and said:
            return {**schema, "enum": said}
        if _MADE.search(about) or not self._pieces or len(self._pieces) > _MOST_PIECES:
            return dict(schema)
        low, high = schema.get("minLength", 0), schema.get("maxLength", len(self._words))
        fitting = [piece for piece in self._pieces if low <= len(piece) <= high]
        return {**schema, "enum": list(dict.fromkeys(fitting + named))} if fitting else dict(schema)

    def _number(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        about = str(schema.get("description", "")).lower()
        if len(self._numbers) > _MOST_NUMBERS:
            return dict(schema)
        found = numbers(self._words, shares=False) if "percent" in about else self._numbers
        fitting = [value for value in found if _fits(value, schema)]
        return {**schema, "enum": fitting} if fitting else dict(schema)

    def _list(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        items = schema.get("items")
        if not isinstance(items, Mapping):
            return dict(schema)
        if "enum" in items:
            said = [one for one in items["enum"] if isinstance(one, str) and self._mentions(one)]
            return {**schema, "items": {**items, "enum": said}, **_length(schema, len(said))} if said else dict(schema)
        if _numeric(items):
            rows = [row for row in self._runs if all(_fits(value, items) for value in row)]
            if rows:
                return {"enum": rows}
        inner = self.value(items)
        most = len(inner["enum"]) if _numeric(items) and "enum" in inner else None
        return {**schema, "items": inner, **_length(schema, most)}

    def _meant(self, name: str, schema: Mapping[str, Any], *, spare: bool) -> bool:
        """Whether the request speaks of an optional argument."""
        if "enum" in schema:
            return any(isinstance(one, str) and self._mentions(one) for one in schema["enum"])
        if _numeric(schema):
            return spare
        named = _QUOTED.findall(str(schema.get("description", "")))
        if len(named) > 1 and any(self._mentions(one) for one in named):
            return True
        return bool(self._stems & stems(plain_name(name)))

    def _mentions(self, value: str) -> bool:
        found = stems(value)
        return bool(found) and found <= self._stems


def _says(piece: str, named: frozenset[str]) -> bool:
    """Whether a piece begins or ends with a common word of the skill's name."""
    parts = piece.split()
    return any(word.islower() and bool(stems(word) & named) for word in (parts[0], parts[-1]))


def _length(schema: Mapping[str, Any], most: int | None) -> dict[str, int]:
    """Bounds for a list: not empty, and no longer than what there is to put in it."""
    low = max(1, schema.get("minItems", 1))
    bounds = {"minItems": low}
    if most is not None:
        bounds["maxItems"] = max(low, min(most, schema.get("maxItems", most)))
    return bounds


def _numeric(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") in ("integer", "number")


def _fits(value: float, schema: Mapping[str, Any]) -> bool:
    if schema["type"] == "integer" and value != int(value):
        return False
    low, high = schema.get("minimum", value), schema.get("maximum", value)
    step = schema.get("multipleOf")
    return bool(low <= value <= high and (step is None or json.dumps(value / step).endswith(".0")))
