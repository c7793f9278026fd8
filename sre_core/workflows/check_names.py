"""Checks what the agent, the endpoints, triggers and ports of a workflow are called."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.workflows.graph import ENDPOINT, Workflow, method_of
from sre_core.workflows.ids import legal_id
from sre_core.workflows.json_text import kind
from sre_core.workflows.problem import Place, Problem
from sre_core.workflows.smyth_reader import agent_of

__all__ = ["PORT_TYPES", "endpoint_problems", "id_problems", "name_problems", "port_problems"]

PORT_TYPES = (
    "Any",
    "String",
    "Text",
    "Number",
    "Integer",
    "Boolean",
    "Array",
    "Object",
    "Date",
    "Binary",
    "Image",
    "Audio",
    "Video",
)
"""The types of inputs, as files write them; any other is as Any."""

_LEGAL = re.compile(r"[A-Za-z0-9_]+(?:[-_][A-Za-z0-9_]+)*")
_LONGEST = 50


def endpoint_problems(workflow: Workflow, places: Mapping[str, Place]) -> Iterator[Problem]:
    """Endpoints and triggers of which another one has the name."""
    endpoints: dict[str, Node] = {}
    triggers: dict[str, Node] = {}
    for node in workflow.nodes.values():
        if node.type == ENDPOINT:
            yield from _taken(node, "endpoint", endpoints, places)
        elif node.data.get("triggerEndpoint"):
            yield from _taken(node, "triggerEndpoint", triggers, places)


def name_problems(node: Node, place: Place) -> Iterator[Problem]:
    """An endpoint or a trigger without a legal name."""
    key = "endpoint" if node.type == ENDPOINT else "triggerEndpoint"
    name = node.data.get(key)
    here = place.at("data", key)
    if not name:
        if node.type == ENDPOINT:
            yield here.error("the endpoint has no name", hint="nothing can call it")
    elif not isinstance(name, str):
        yield here.error(f"must be a text, not {kind(name)}")
    elif not _LEGAL.fullmatch(name) or len(name) > _LONGEST:
        yield here.error(
            f"{name!r} is no legal name of an endpoint",
            hint=f"use up to {_LONGEST} ASCII letters, digits, '_' and single '-', and no '-' at an end",
        )


def id_problems(workflow: Workflow) -> Iterator[Problem]:
    """Ids of the agent and its team that the file has, and that became others since they are not legal."""
    agent, place = agent_of(workflow.document)
    for key, used in (("id", workflow.id), ("teamId", workflow.team)):
        given = agent.get(key)
        if isinstance(given, str) and given and given != used == legal_id(given):
            yield place.at(key).warning(f"{given!r} is not a legal id, and {used!r} takes its place")


def port_problems(node: Node, place: Place) -> Iterator[Problem]:
    """Ports that share a name, and inputs of a type that nobody knows."""
    yield from _repeated(node.inputs, place.at("inputs"))
    yield from _repeated(node.outputs, place.at("outputs"))
    known = {name.lower(): name for name in PORT_TYPES}
    for position, port in enumerate(node.inputs):
        if port.type.lower() not in known:
            close = difflib.get_close_matches(port.type.lower(), known, n=1)
            hint = f"did you mean {known[close[0]]!r}?" if close else f"there are: {', '.join(PORT_TYPES)}"
            yield place.at("inputs", position, "type").warning(
                f"no input has the type {port.type!r}, which is as 'Any'", hint=hint
            )


def _taken(node: Node, key: str, taken: dict[str, Node], places: Mapping[str, Place]) -> Iterator[Problem]:
    name = node.data.get(key)
    if not isinstance(name, str) or not name:
        return
    earlier = taken.get(name)
    taken[name] = node
    if earlier is None:
        return
    if key == "endpoint" and method_of(earlier) != method_of(node):
        yield (
            places[node.id]
            .at("data", key)
            .warning(
                f"{earlier} has the name {name!r} already, for {method_of(earlier)}",
                hint=f"this one is called as '{name}-{method_of(node).lower()}'",
            )
        )
    else:
        yield (
            places[earlier.id]
            .at("data", key)
            .error(
                f"{node} has the name {name!r} too, and is the one that is called", hint="this one can never be called"
            )
        )


def _repeated(ports: Sequence[InputPort | OutputPort], place: Place) -> Iterator[Problem]:
    seen: set[str] = set()
    for position, port in enumerate(ports):
        if port.name and port.name in seen:
            yield place.at(position, "name").warning(f"an earlier port is called {port.name!r} too")
        seen.add(port.name)
