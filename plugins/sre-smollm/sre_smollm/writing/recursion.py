"""Gives a JSON schema that contains itself a depth at which it ends.

A small model under a grammar that may nest for ever nests until its budget is spent.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

__all__ = ["unrolled"]

_DEPTH = 3
_KEYS = ("$defs", "definitions")
_ROOT = "root"


def unrolled(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """`schema`, with definitions that contain themselves written out three levels deep, without going deeper.

    What it accepts, the original accepts too. A schema that must nest deeper, or for ever, stays as it is.
    """
    root, definitions = _parts(schema)
    uses = {name: set(_references(body)) & set(definitions) for name, body in definitions.items()}
    endless = {name for name in definitions if name in _reachable(name, uses)}
    if not endless:
        return schema
    written: dict[str, Any] = {}
    deeper: set[str] = set()
    for level in range(_DEPTH, 0, -1):
        here = set()
        for name in sorted(endless):
            body = _cut(definitions[name], endless, deeper, level + 1)
            if body is not None:
                written[_level(name, level)] = body
                here.add(name)
        deeper = here
    plain = {name: _cut(body, endless, deeper, 1) for name, body in definitions.items() if name not in endless}
    whole = _cut(root, endless, deeper, 1)
    if whole is None or None in plain.values():
        return schema
    return {**whole, "$defs": {**plain, **written}}


def _parts(schema: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schema without its definitions, and these; a schema that refers to itself as a whole becomes one of them."""
    root = {key: value for key, value in schema.items() if key not in _KEYS}
    definitions = {name: body for key in _KEYS for name, body in schema.get(key, {}).items()}
    if _ROOT in _references(root) and _ROOT not in definitions:
        return {"$ref": f"#/$defs/{_ROOT}"}, {**definitions, _ROOT: root}
    return root, definitions


def _name(reference: Any) -> str | None:
    if reference == "#":
        return _ROOT
    for key in _KEYS:
        if isinstance(reference, str) and reference.startswith(f"#/{key}/"):
            return reference.removeprefix(f"#/{key}/")
    return None


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if (name := _name(value.get("$ref"))) is not None:
            yield name
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _references(one)


def _reachable(name: str, uses: Mapping[str, Collection[str]]) -> set[str]:
    found: set[str] = set()
    ahead = list(uses[name])
    while ahead:
        if (one := ahead.pop()) not in found:
            found.add(one)
            ahead += uses[one]
    return found


def _level(name: str, level: int) -> str:
    return f"{name}.{level}"


def _cut(value: Any, endless: Collection[str], deeper: Collection[str], level: int) -> Any:
    """`value` with references to `endless` definitions led to `level`; None where it needs one that is not there."""
    if not isinstance(value, Mapping):
        return value
    name = _name(value.get("$ref"))
    if name is not None and name in endless:
        return {**value, "$ref": f"#/$defs/{_level(name, level)}"} if name in deeper else None
    out: dict[str, Any] = dict(value)
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        if isinstance(value.get(key), list):
            parts = [_cut(one, endless, deeper, level) for one in value[key]]
            out[key] = [part for part in parts if part is not None]
            if not out[key] or (key in {"allOf", "prefixItems"} and None in parts):
                return None
    if isinstance(value.get("properties"), Mapping):
        found = {key: _cut(one, endless, deeper, level) for key, one in value["properties"].items()}
        lost = {key for key, one in found.items() if one is None}
        if lost & set(value.get("required", ())):
            return None
        out["properties"] = {key: one for key, one in found.items() if key not in lost}
        if lost and value.get("additionalProperties") is not False:
            out["additionalProperties"] = False
    if _cut(value.get("items"), endless, deeper, level) is None and "items" in value:
        return None if value.get("minItems", 0) else {**out, "items": {"type": "null"}, "maxItems": 0}
    for key in ("items", "additionalProperties"):
        if isinstance(value.get(key), Mapping):
            part = _cut(value[key], endless, deeper, level)
            out[key] = False if part is None else part
    return out
