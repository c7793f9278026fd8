"""Outputs of a node's own out of a model's reply: what the model is asked for, and how its JSON is read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sre_core.components.loose_json import parse_loose_json
from sre_core.components.node import Node, OutputPort
from sre_core.components.path import split_path
from sre_core.errors import ComponentError

__all__ = ["RESERVED", "Field", "fields_of", "instructions", "read_loose", "read_strict", "schema"]

RESERVED = frozenset({"_debug", "_debug_time", "_error", "_warning"})
"""Outputs of the engine, which no model gives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something that a reply shall hold."""

    name: str
    description: str = ""


def fields_of(node: Node, *, reply: str) -> tuple[Field, ...]:
    """What the outputs that an author added need of a reply, which goes out by the port `reply`.

    An output may be a path, "city.name" or "Reply.city.name": the field is the first step into the reply.
    """
    found: dict[str, Field] = {}
    for port in node.custom_outputs():
        name = _field(port, reply)
        if not name or name in RESERVED or port.name in RESERVED:
            continue
        if name not in found or port.name == name:
            found[name] = Field(name=name, description=port.description)
    return tuple(found.values())


def schema(fields: Sequence[Field], *, value: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The JSON schema of an object with these fields; each is a `value`, or anything."""
    return {
        "type": "object",
        "properties": {
            field.name: {**(value or {}), **({"description": field.description} if field.description else {})}
            for field in fields
        },
        "required": [field.name for field in fields],
        "additionalProperties": False,
    }


def instructions(fields: Sequence[Field], *, value: str = "value") -> str:
    """What a model is told that cannot be held to a schema."""
    if not fields:
        return "Answer with JSON alone, with no text around it."
    shape = {field.name: f"<{value}>" + (f" ({field.description})" if field.description else "") for field in fields}
    return "Answer with one JSON object of this form, with no text around it:\n" + json.dumps(
        shape, ensure_ascii=False, indent=2
    )


def read_loose(text: str) -> dict[str, Any] | list[Any] | None:
    """The JSON object or list in a reply, mended where it is nearly one; None when there is none."""
    try:
        found = parse_loose_json(text)
    except (ComponentError, ValueError):
        return None
    return found if isinstance(found, dict | list) else None


def read_strict(text: str) -> Any:
    """The object or list that a reply is, as it stands; the text itself when it is none."""
    stripped = text.strip()
    if not stripped.startswith(("{", "[")):
        return text
    try:
        return json.loads(stripped)
    except (ValueError, RecursionError):
        return text


def _field(port: OutputPort, reply: str) -> str:
    path = [str(step) for step in split_path(port.expression or port.name)]
    return next((step for index, step in enumerate(path) if index or step != reply), "")
