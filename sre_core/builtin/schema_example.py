"""The smallest value that a JSON schema allows, for models that only pretend to think."""

from collections.abc import Mapping
from typing import Any

__all__ = ["example"]

_DEEPEST = 32


def example(schema: Mapping[str, Any], *, text: str = "") -> Any:
    """A value that fits `schema`; strings are `text` where the schema allows it.

    It follows `$ref`, `const`, `enum`, `default`, `anyOf`, `oneOf`, `required`, and the smallest lengths and
    numbers. It knows no patterns and formats.
    """
    return _value(schema, schema, text, 0)


def _value(schema: Any, root: Mapping[str, Any], text: str, depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    if "const" in schema:
        return schema["const"]
    if "default" in schema:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    if "$ref" in schema:
        return _value(_resolve(schema["$ref"], root), root, text, depth + 1)
    for word in ("anyOf", "oneOf", "allOf"):
        if schema.get(word):
            return _value(schema[word][0], root, text, depth + 1)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {name: _value(properties.get(name), root, text, depth + 1) for name in schema.get("required", ())}
    if kind == "array":
        return [_value(schema.get("items"), root, text, depth + 1)] * schema.get("minItems", 0)
    return _scalar(kind, schema, text)


def _scalar(kind: str, schema: Mapping[str, Any], text: str) -> Any:
    if kind == "string":
        return text.ljust(schema.get("minLength", 0), "-")[: schema.get("maxLength")]
    if kind in {"integer", "number"}:
        lowest = schema.get("minimum", 0)
        if "exclusiveMinimum" in schema:
            lowest = schema["exclusiveMinimum"] + 1
        return min(lowest, schema.get("maximum", lowest))
    return False if kind == "boolean" else None


def _resolve(pointer: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for part in pointer.removeprefix("#/").split("/"):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
