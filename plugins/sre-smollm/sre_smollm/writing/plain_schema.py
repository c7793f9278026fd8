"""JSON schemas from outside, checked and copied, so that whatever reads them later need not expect anything else."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sre_core.errors import UnsupportedError
from sre_core.messages import SkillSpec

__all__ = ["plain_schema", "plain_skill"]

# Deeper ones are no schemas that a model could fill, and exhaust the stack.
_DEEPEST = 64
_SIZES = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_TEXTS = ("$ref", "format", "pattern")
_SCHEMAS = ("items", "additionalProperties", "not")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS = ("properties", "$defs", "definitions", "patternProperties")


def plain_skill(skill: SkillSpec) -> SkillSpec:
    """`skill` with its parameters as `plain_schema` makes them. Raises as that does, and when they are no object."""
    what = f"skill {skill.name!r}"
    parameters = plain_schema(skill.parameters, what=what)
    kind = parameters.get("type", "object")
    if kind != "object":
        if not isinstance(kind, list) or "object" not in kind:
            raise _refused(what, f"it describes {kind!r}, not an object")
        parameters["type"] = "object"
    return replace(skill, parameters=parameters)


def plain_schema(schema: Any, *, what: str) -> dict[str, Any]:
    """`schema` as dicts and lists of its own; `what` names it in errors.

    Raises UnsupportedError when it is no JSON, or when a keyword has a value that JSON schemas do not allow.
    """
    if not isinstance(schema, Mapping):
        raise _refused(what, f"it is a {type(schema).__name__}, not an object")
    made: dict[str, Any] = _copy(schema, what, 0)
    _check(made, what)
    return made


def _copy(value: Any, what: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise _refused(what, f"it is nested more than {_DEEPEST} deep")
    match value:
        case str():
            # Half of a letter is text in Python, and nowhere else.
            if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
                raise _refused(what, f"{value!r} is no text")
            return value
        case None | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case Mapping():
            return {str(key): _copy(inner, what, depth + 1) for key, inner in value.items()}
        case list() | tuple():
            return [_copy(inner, what, depth + 1) for inner in value]
    raise _refused(what, f"{value!r} is no JSON")


def _check(schema: Any, what: str) -> None:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise _refused(what, f"{schema!r} is no schema")
    for key, value in schema.items():
        if not _sensible(key, value):
            raise _refused(what, f"{key!r} cannot be {value!r}")
        for part in _parts(key, value):
            _check(part, what)


def _sensible(key: str, value: Any) -> bool:
    """Whether `value` is of the kind that a keyword needs; anything is, for one that nobody here reads."""
    if key in _SIZES:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if key in _BOUNDS:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and (key != "multipleOf" or value > 0)
    if key in _MAPS:
        return isinstance(value, dict)
    if key in _LISTS or key == "enum":
        return isinstance(value, list)
    if key == "required":
        return isinstance(value, list) and all(isinstance(name, str) for name in value)
    if key == "type":
        return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))
    return key not in _TEXTS or isinstance(value, str)


def _parts(key: str, value: Any) -> list[Any]:
    if key in _MAPS:
        return list(value.values())
    if key in _LISTS:
        return list(value)
    return [value] if key in _SCHEMAS else []


def _refused(what: str, reason: str) -> UnsupportedError:
    return UnsupportedError(
        f"the JSON schema of {what} cannot be used to guide the model: {reason[:200]}",
        hint="use plain types, enum, anyOf, properties and items",
    )
