"""Endpoints of a workflow as a model sees them: a name, a description, and a JSON schema of what they take."""

from collections.abc import Iterable, Mapping
from typing import Any

from sre_core.components.node import InputPort, Node
from sre_core.components.path import split_path
from sre_core.messages import SkillSpec
from sre_core.workflows.graph import Workflow

__all__ = ["PORT_TYPES", "endpoint_spec", "is_exposed", "unused_arguments"]

_FILE = {"type": "string", "description": "a URL, a data: URL, or the content in base64"}
PORT_TYPES: Mapping[str, Mapping[str, Any]] = {
    "any": {},
    "string": {"type": "string"},
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "array": {"type": "array", "items": {}},
    "object": {"type": "object"},
    "date": {"type": "string", "format": "date-time"},
    "binary": _FILE,
    "image": _FILE,
    "audio": _FILE,
    "video": _FILE,
}
"""What the types of ports are in JSON schema, by their names in lower case."""


def endpoint_spec(name: str, node: Node) -> SkillSpec:
    """The endpoint as a skill. What an author left out of the description is made up from the titles."""
    described = (node.data.get(key) for key in ("description", "summary"))
    description = next((text for text in described if isinstance(text, str) and text.strip()), "")
    title = node.title if node.title and node.title != node.type else name
    properties = {port.name: _schema(port) for port in node.inputs}
    required = [port.name for port in node.inputs if not port.optional and port.default in (None, "")]
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return SkillSpec(name=name, description=description or title, parameters=schema)


def is_exposed(node: Node) -> bool:
    """Whether a model may call the endpoint; only an author who says so hides one."""
    return node.data.get("ai_exposed") not in (False, "false")


def unused_arguments(workflow: Workflow, node: Node, names: Iterable[str]) -> list[str]:
    """Those of `names` that are no input of the endpoint and that no link takes, as a misspelt one.

    An endpoint without links gives all that it got, and one whose `body` or `query` goes on as a whole uses all.
    """
    ports = [node.outputs[link.output] for link in workflow.links if link.source == node.id]
    taken = [split_path(port.expression or port.name) for port in ports]
    if not taken or any(len(path) < 2 and path[:1] != ("headers",) for path in taken):
        return []
    used = {port.name for port in node.inputs} | {path[1] for path in taken if path[0] != "headers"}
    return [name for name in names if name not in used]


def _schema(port: InputPort) -> dict[str, Any]:
    schema = dict(_FILE if port.is_file else PORT_TYPES.get(port.type.strip().lower(), {}))
    if port.description:
        schema["description"] = port.description
    return schema
