"""JSON schemas in the part of the language that a server of Claude can hold a model to: Anthropic's, or Bedrock.

Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
"""

from collections.abc import Mapping
from typing import Any

from sre_core.errors import UnsupportedError

__all__ = ["closed_schema"]

_FORMATS = frozenset({"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"})
_PLAIN = ("type", "enum", "const", "title", "description")
_BRANCHES = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
_DEFINITIONS = ("$defs", "definitions")
# What says nothing about the answer that a model need know.
_SILENT = frozenset({"$schema", "$id", "$comment", "$ref", "default", "examples", "properties", "required", "items"})
_BOUNDING = frozenset({"type", "enum", "const", "$ref", *_BRANCHES})


def closed_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema for the whole answer: all objects closed, and what cannot be enforced told in descriptions.

    Raises UnsupportedError for a schema that allows anything at all, or keys of any name, since no answer can be held
    to it.
    """
    return _plain(schema, "the answer")


def _plain(schema: Any, where: str) -> dict[str, Any]:
    if not isinstance(schema, Mapping) or not _BOUNDING & schema.keys():
        raise _loose(where, "may be anything")
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return _either(schema, kinds, where)
    plain = {key: schema[key] for key in _PLAIN if key in schema}
    for key in _DEFINITIONS:
        for name, one in schema.get(key, {}).items():
            plain.setdefault("$defs", {})[name] = _plain(one, repr(name))
    if "$ref" in schema:
        plain["$ref"] = str(schema["$ref"]).replace("#/definitions/", "#/$defs/")
    for key, name in _BRANCHES.items():
        if key in schema:
            # A reference in an `allOf` is refused; of one schema, a choice says the same.
            found = "anyOf" if len(schema[key]) == 1 and "anyOf" not in plain else name
            plain[found] = [_plain(one, where) for one in schema[key]]
    if kinds == "object":
        plain |= _object(schema, where)
    elif kinds == "array":
        plain["items"] = _plain(schema.get("items", {}), f"an item of {where}")
    told = _told(schema, plain)
    if told:
        plain["description"] = "\n\n".join(text for text in (plain.get("description"), told) if text)
    return plain


def _either(schema: Mapping[str, Any], kinds: list[str], where: str) -> dict[str, Any]:
    """`"type": ["string", "null"]`, spelt out."""
    outer = {key: schema[key] for key in ("title", "description", *_DEFINITIONS) if key in schema}
    inner = {key: value for key, value in schema.items() if key not in outer}
    branches = [{"type": kind} if kind == "null" else {**inner, "type": kind} for kind in kinds]
    return _plain({**outer, "anyOf": branches}, where)


def _object(schema: Mapping[str, Any], where: str) -> dict[str, Any]:
    properties = schema.get("properties", {})
    if not properties and schema.get("additionalProperties", True) is not False:
        raise _loose(where, "may have keys of any name")
    found: dict[str, Any] = {
        "properties": {name: _plain(one, repr(name)) for name, one in properties.items()},
        "additionalProperties": False,
    }
    if "required" in schema:
        found["required"] = list(schema["required"])
    return found


def _told(schema: Mapping[str, Any], plain: dict[str, Any]) -> str:
    """What servers do not enforce, in words; what they do is added to `plain`."""
    told = []
    for key, value in schema.items():
        if key in plain or key in _SILENT or key in _BRANCHES or key in _DEFINITIONS or key == "additionalProperties":
            continue
        if (key == "format" and value in _FORMATS) or (key == "minItems" and value in {0, 1}):
            plain[key] = value
        else:
            told.append(f"{key}: {value}")
    return f"{{{', '.join(told)}}}" if told else ""


def _loose(where: str, what: str) -> UnsupportedError:
    return UnsupportedError(
        f"the output schema is too open to hold an answer to it: {where} {what}",
        hint="name all keys and their types; a list of pairs can stand for a map",
    )
