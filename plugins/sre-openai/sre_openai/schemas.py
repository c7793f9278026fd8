"""JSON schemas: which of them OpenAI's strict mode takes, and how they are named."""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["is_strict", "schema_name"]

# https://developers.openai.com/api/docs/guides/structured-outputs, "Supported schemas"
_KEYWORDS = frozenset(
    {
        "$defs",
        "$ref",
        "additionalProperties",
        "anyOf",
        "const",
        "definitions",
        "description",
        "enum",
        "items",
        "properties",
        "required",
        "title",
        "type",
    }
)
_BOUNDS = frozenset(
    {
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "multipleOf",
        "pattern",
    }
)
_FORMATS = ("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid")
_DEEPEST = 10


def is_strict(schema: Mapping[str, Any], *, bounds: bool = True) -> bool:
    """Whether strict mode takes a schema as it is: a closed object, in which every property must be given.

    Without `bounds`, numbers, texts and lists may have none.
    """
    keywords = _KEYWORDS | _BOUNDS if bounds else _KEYWORDS
    try:
        return schema.get("type") == "object" and "anyOf" not in schema and _fits(schema, keywords, 0)
    except (AttributeError, TypeError):
        # It is no schema; the server says what is wrong with it.
        return False


def schema_name(schema: Mapping[str, Any]) -> str:
    """A legal name for an output schema: its title, as far as it may be used."""
    title = schema.get("title")
    return re.sub(r"[^A-Za-z0-9_-]+", "_", title)[:64] if isinstance(title, str) and title else "answer"


def _fits(schema: Any, keywords: frozenset[str], depth: int) -> bool:
    if not isinstance(schema, Mapping) or not keywords.issuperset(schema) or depth > _DEEPEST:
        return False
    if "$ref" in schema:
        # What it refers to is found among the definitions.
        return len(schema) == 1
    types = _types(schema)
    if not types and "anyOf" not in schema:
        return False
    if ("object" in types and not _is_closed(schema)) or ("array" in types and "items" not in schema):
        return False
    if "format" in schema and schema["format"] not in _FORMATS:
        return False
    inner = [*schema.get("anyOf", ()), *schema.get("properties", {}).values()]
    inner += [part for key in ("$defs", "definitions") for part in schema.get(key, {}).values()]
    if "items" in schema:
        inner.append(schema["items"])
    return all(_fits(part, keywords, depth + 1) for part in inner)


def _types(schema: Mapping[str, Any]) -> list[Any]:
    kind = schema.get("type", [])
    return kind if isinstance(kind, list) else [kind]


def _is_closed(schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties", {})
    return schema.get("additionalProperties") is False and set(properties) == set(schema.get("required", ()))
