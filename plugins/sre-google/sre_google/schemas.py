"""JSON schemas in the form that Google reads."""

from collections.abc import Mapping
from typing import Any

__all__ = ["google_schema"]


def google_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same schema, where Google takes another way to say it.

    It reads JSON schema as it is, but for three things: beside a `$ref` nothing else may stand, so the reference
    moves into an `anyOf`; and it does not know `const`, which becomes an `enum` of one, and an `allOf` of one, which
    becomes an `anyOf` of one. Keywords that it passes over, such as `pattern`, stay: they do no harm.
    """
    found = _plain(schema)
    assert isinstance(found, dict)  # noqa: S101 -- a mapping gives one
    return found


def _plain(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    found = {key: _inner(key, value) for key, value in schema.items()}
    # Under `properties` these are names, which `_inner` keeps away from here.
    if "const" in found and "enum" not in found:
        found["enum"] = [found.pop("const")]
    whole = found.get("allOf")
    if isinstance(whole, list) and len(whole) == 1 and "anyOf" not in found:
        found["anyOf"] = found.pop("allOf")
    if "$ref" in found and any(not key.startswith("$") for key in found) and "anyOf" not in found:
        found["anyOf"] = [{"$ref": found.pop("$ref")}]
    return found


def _inner(key: str, value: Any) -> Any:
    if key in {"properties", "$defs", "definitions", "patternProperties", "dependentSchemas"}:
        return {name: _plain(part) for name, part in value.items()} if isinstance(value, Mapping) else value
    if key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
        return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
    if key in {"items", "additionalProperties", "not", "contains", "propertyNames"}:
        return _plain(value)
    return value
