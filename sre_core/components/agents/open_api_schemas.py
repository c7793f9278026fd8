"""JSON schemas of an OpenAPI document, with what they refer to written out."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import unquote

from sre_core.components.path import MISSING
from sre_core.errors import ComponentError

__all__ = ["Schemas", "mapping"]

_NOISE = frozenset({"discriminator", "example", "examples", "externalDocs", "nullable", "xml"})
_NAMED = frozenset({"patternProperties", "properties"})
_MOST_NODES = 5000
"""Parts of one schema."""
_MOST_ALTOGETHER = 500_000
"""Parts of all schemas of a document. In a few lines of YAML a list can hold itself, or a billion others."""
_MOST_RESOLVED = 100_000
"""Parameters, bodies and paths: thousands of paths can be one and the same, with as many parameters."""
_FREE = 100
"""Members of an object that are looked through for nothing: of more, each so many count as one part."""
_LONGEST_REFERENCE = 1000
_DEEPEST = 40
_LONGEST_CHAIN = 20


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one: documents are written by hand."""
    return value if isinstance(value, Mapping) else {}


class Schemas:
    """Follows the references within one document.

    A schema that contains itself is cut there, and so is all that lies too deep or is too much: a model gets an
    outline, and the service checks what it is sent.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._left = _MOST_NODES
        self._left_altogether = _MOST_ALTOGETHER
        self._left_to_resolve = _MOST_RESOLVED

    def resolve(self, value: Any) -> Mapping[str, Any]:
        """A parameter, a body or a path itself where a reference to it stands. Raises ComponentError."""
        for _ in range(_LONGEST_CHAIN):
            self._left_to_resolve -= 1
            if self._left_to_resolve < 0:
                raise ComponentError(
                    f"the document has more than {_MOST_RESOLVED:,} parameters, bodies and paths",
                    hint="leave out operations that are of no use here",
                )
            reference = mapping(value).get("$ref")
            if not isinstance(reference, str):
                return mapping(value)
            value = self._target(reference)
        raise ComponentError("a reference in the document leads to itself")

    def inline(self, schema: Any) -> dict[str, Any]:
        """The schema, free of references and of what models have no use for. Raises ComponentError."""
        self._left = _MOST_NODES
        return self._schema(schema, ())

    def _target(self, reference: str) -> Any:
        if not reference.startswith("#/") or len(reference) > _LONGEST_REFERENCE:
            raise ComponentError(
                f"the document refers to another one: {reference!r:.120}", hint="bundle it into one document"
            )
        found: Any = self._document
        for part in reference[2:].split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            found = mapping(found).get(key, MISSING)
        if found is MISSING:
            raise ComponentError(f"the document refers to what it does not have: {reference!r:.120}")
        return found

    def _schema(self, schema: Any, open_references: tuple[str, ...]) -> dict[str, Any]:
        fields = mapping(schema)
        if not self._take(1 + len(fields) // _FREE) or len(open_references) > _DEEPEST:
            return {}
        reference = fields.get("$ref")
        if isinstance(reference, str):
            if reference in open_references:
                return {}
            beside = {key: value for key, value in fields.items() if key != "$ref"}
            fields = {**mapping(self._target(reference)), **beside}
            return self._schema(fields, (*open_references, reference))
        kept = {key: value for key, value in fields.items() if key not in _NOISE and not key.startswith("x-")}
        inner = (*open_references, "")
        plain = {key: self._value(key, value, inner) for key, value in kept.items()}
        return _as_json_schema(plain, nullable=fields.get("nullable") is True)

    def _value(self, key: str, value: Any, open_references: tuple[str, ...]) -> Any:
        if key in _NAMED and self._take(len(mapping(value)) // _FREE):
            wanted = {name: inner for name, inner in mapping(value).items() if not mapping(inner).get("readOnly")}
            return {str(name): self._schema(inner, open_references) for name, inner in wanted.items()}
        if key in {"allOf", "anyOf", "oneOf", "prefixItems"} and isinstance(value, list):
            return [self._schema(inner, open_references) for inner in value]
        if isinstance(value, Mapping) and key not in {"const", "default", "enum"}:
            return self._schema(value, open_references)
        return self._plain(value)

    def _plain(self, value: Any, deep: int = 0) -> Any:
        """A value as JSON has it; YAML also knows dates, and lists that contain themselves."""
        if not self._take() or deep > _DEEPEST:
            return None
        if isinstance(value, Mapping):
            return {str(key): self._plain(item, deep + 1) for key, item in value.items() if self._left > 0}
        if isinstance(value, list | tuple):
            return [self._plain(item, deep + 1) for item in value if self._left > 0]
        if value is None or isinstance(value, bool | int | float | str):
            return value
        # Not the bytes that YAML has, too: there may be megabytes, in each of a thousand places.
        return value.isoformat() if isinstance(value, date) else None

    def _take(self, count: int = 1) -> bool:
        """Count parts; whether they are still within what is read."""
        self._left -= count
        self._left_altogether -= count
        return self._left >= 0 and self._left_altogether >= 0


def _as_json_schema(schema: dict[str, Any], *, nullable: bool) -> dict[str, Any]:
    """What OpenAPI 3.0 says in its own way, as JSON Schema has it."""
    for key in ("exclusiveMaximum", "exclusiveMinimum"):
        if isinstance(schema.get(key), bool):
            del schema[key]
    if nullable and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list):
            schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("required"), list) and isinstance(schema.get("properties"), dict):
        wanted = [name for name in schema["required"] if isinstance(name, str)]
        schema["required"] = [name for name in wanted if name in schema["properties"]]
    elif "required" in schema and not isinstance(schema["required"], list):
        del schema["required"]
    return schema
