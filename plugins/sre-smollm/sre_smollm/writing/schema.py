"""Gives every part of a JSON schema that may repeat an upper bound.

A small model under a grammar without bounds writes digits or letters until its budget is spent.
"""

from collections.abc import Mapping
from typing import Any

from sre_smollm.writing.recursion import unrolled

__all__ = ["bounded"]

_LETTERS = 400
# Letters of strings with a format: a time may have any number of decimals, a name any number of parts.
_FORMATS = {"time": 14, "date-time": 25, "email": 64, "hostname": 64, "ipv6": 45, "uri": 200}
# Some forms of ISO 8601 of few digits, since Python's durations end at a billion days.
_DURATION = r"^P([0-9]{1,3}W|[0-9]{1,4}D(T[0-9]{1,2}H)?|T[0-9]{1,3}H([0-9]{1,2}M)?|T[0-9]{1,4}M|T[0-9]{1,5}S)$"
# Names that a map may have.
_NAME = r"^[^\"\\\\]{1,40}$"
_ITEMS = 16
_KEYS = 16
_LARGEST = 10**15
_DECIMALS = 0.000001
_SCALARS: list[dict[str, Any]] = [
    {"type": "string", "maxLength": _LETTERS},
    {"type": "number", "minimum": -_LARGEST, "maximum": _LARGEST, "multipleOf": _DECIMALS},
    {"type": "boolean"},
    {"type": "null"},
]
_SCHEMAS = ("items", "additionalProperties", "not")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS = ("properties", "$defs", "definitions", "patternProperties")
_CLOSED = ("enum", "const", "$ref", *_LISTS)


def bounded(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` with bounds where it has none; what it accepts, the original accepts too."""
    return _bounded(unrolled(schema))


def _bounded(schema: Mapping[str, Any]) -> dict[str, Any]:
    out = {key: _part(key, value) for key, value in schema.items()}
    if any(key in out for key in _CLOSED):
        return out
    kind = out.get("type")
    if isinstance(kind, list):
        rest = {key: value for key, value in out.items() if key != "type"}
        return {"anyOf": [_bounded({**rest, "type": one}) for one in kind]}
    if kind is None:
        if "properties" not in out:
            return {**out, "anyOf": _SCALARS}
        out["type"] = kind = "object"
    _bound(out, str(kind))
    return out


def _part(key: str, value: Any) -> Any:
    if key in _SCHEMAS and isinstance(value, Mapping):
        return _bounded(value)
    if key in _LISTS and isinstance(value, list):
        return [_bounded(one) if isinstance(one, Mapping) else one for one in value]
    if key in _MAPS and isinstance(value, Mapping):
        return {name: _bounded(one) if isinstance(one, Mapping) else one for name, one in value.items()}
    return value


def _bound(out: dict[str, Any], kind: str) -> None:
    if kind == "string" and out.get("format") == "duration":
        del out["format"]
        out["pattern"] = _DURATION
    elif kind == "string":
        longest = _FORMATS.get(out.get("format", ""), _LETTERS)
        out.setdefault("maxLength", max(longest, out.get("minLength", 0)))
    elif kind in ("integer", "number"):
        if "exclusiveMinimum" not in out:
            out.setdefault("minimum", -_LARGEST)
        if "exclusiveMaximum" not in out:
            out.setdefault("maximum", _LARGEST)
        if kind == "number":
            out.setdefault("multipleOf", _DECIMALS)
    elif kind == "array":
        out.setdefault("maxItems", max(_ITEMS, out.get("minItems", 0)))
        out.setdefault("items", {"anyOf": _SCALARS})
    elif kind == "object":
        _bound_object(out)


def _bound_object(out: dict[str, Any]) -> None:
    extra = out.get("additionalProperties")
    if extra is False:
        return
    if "properties" in out and not isinstance(extra, Mapping):
        # Keys that nobody described help no skill.
        out["additionalProperties"] = False
        return
    values = extra if isinstance(extra, Mapping) else {"anyOf": _SCALARS}
    if out.get("properties") or "patternProperties" in out:
        out["additionalProperties"] = values
    else:
        out |= {"patternProperties": {_NAME: values}, "additionalProperties": False}
    out.setdefault("maxProperties", _KEYS + len(out.get("properties", {})))
