"""Makes the content of a `.smyth` file of a Workflow: its document as it was read, with what is different put in.

What a field means is decided by the reader alone: a part of the document that is read as the workflow has it stays as
it is, with all that only others understand.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sre_core.components.node import Node
from sre_core.errors import InvalidWorkflowError
from sre_core.workflows.graph import Link, Workflow
from sre_core.workflows.json_text import dump, same
from sre_core.workflows.picture import positions
from sre_core.workflows.problem import Place
from sre_core.workflows.smyth_components import merged_component, new_component, same_node
from sre_core.workflows.smyth_reader import agent_of, read_document

__all__ = ["write"]

_VERSION = "1.0.0"
_AGENT_KEYS = {
    "id": "id",
    "name": "name",
    "description": "description",
    "behavior": "behavior",
    "team": "teamId",
    "model": "defaultModel",
    "variables": "variables",
}

Raw = dict[str, Any]


def write(workflow: Workflow, *, indent: int | None = None) -> str:
    """The text of a `.smyth` file, on one line as editors write it, or with an indent.

    A workflow that came from such a file keeps everything that was in it, in order. Raises InvalidWorkflowError for
    what could not be read again: a link to nowhere, an illegal id, a setting that is no JSON.
    """
    try:
        document = _document(workflow)
        text = dump(document, indent=indent)
    except (TypeError, ValueError) as error:
        raise _unwritable([str(error)]) from error
    reading = read_document(document, path=workflow.path)
    problems = [str(problem) for problem in reading.errors]
    if reading.workflow is not None and reading.workflow.id != workflow.id:
        problems.append(f"id: {workflow.id!r} is not a legal id")
    if reading.workflow is not None and reading.workflow.team != workflow.team:
        problems.append(f"teamId: {workflow.team!r} is not a legal id")
    if problems:
        raise _unwritable(problems)
    return text


def _unwritable(problems: Sequence[str]) -> InvalidWorkflowError:
    more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
    return InvalidWorkflowError(f"the workflow cannot be written: {problems[0]}{more}", problems=tuple(problems))


def _document(workflow: Workflow) -> Raw:
    """The content of the file; the workflow's own document is not touched."""
    document: Raw = dict(workflow.document)
    agent, place = agent_of(document)
    if not isinstance(agent.get("components"), list):
        # It was made in code, or read from a file of another kind.
        agent, place = _new_agent(workflow), Place()
        document = agent
    original = read_document(document, path=workflow.path).workflow
    if original is None or len(original.nodes) != len(agent["components"]):
        raise _unwritable(["its document is not what it was read from"])
    merged = _merged(dict(agent), original, workflow)
    return {**document, "data": merged} if place.path else merged


def _new_agent(workflow: Workflow) -> Raw:
    """An agent without components, with its keys in the order that editors write."""
    agent: Raw = {
        "version": _VERSION,
        "id": workflow.id,
        "name": workflow.name,
        "teamId": workflow.team,
        "components": [],
        "connections": [],
        "description": workflow.description,
        "behavior": workflow.behavior,
    }
    if workflow.model is not None:
        agent["defaultModel"] = workflow.model
    if workflow.variables:
        agent["variables"] = workflow.variables
    return agent


def _merged(agent: Raw, original: Workflow, workflow: Workflow) -> Raw:
    """The agent with everything put in that is different in `workflow` from what was read."""
    for name, key in _AGENT_KEYS.items():
        value = getattr(workflow, name)
        if not same(value, getattr(original, name)):
            _put(agent, key, value)
    changed = not _same_nodes(original.nodes, workflow.nodes)
    if changed:
        raws = dict(zip(original.nodes, agent["components"], strict=True))
        places = positions(workflow) if workflow.nodes.keys() - raws.keys() else {}
        agent["components"] = [
            merged_component(raws[id_], original.nodes[id_], node)
            if id_ in raws
            else new_component(node, places.get(id_, (0, 0)))
            for id_, node in workflow.nodes.items()
        ]
    if changed or workflow.links != original.links:
        agent["connections"] = _connections(agent, original, workflow)
    return agent


def _put(raw: Raw, key: str, value: Any) -> None:
    if value is None:
        raw.pop(key, None)
    else:
        raw[key] = value


def _same_nodes(one: Mapping[str, Node], other: Mapping[str, Node]) -> bool:
    """Whether nothing was added, removed, moved or changed."""
    return list(one) == list(other) and all(same_node(node, other[id_]) for id_, node in one.items())


def _connections(agent: Raw, original: Workflow, workflow: Workflow) -> list[Raw]:
    """The links, each as it was read where it was, with what others keep there."""
    unused: dict[Link, list[Raw]] = {}
    for link, raw in zip(original.links, agent.get("connections") or (), strict=True):
        unused.setdefault(link, []).append(raw)
    found = []
    for link in workflow.links:
        kept = unused.get(link)
        raw = dict(kept.pop(0)) if kept else {}
        whole = {
            "sourceId": link.source,
            "sourceIndex": link.output,
            "targetId": link.target,
            "targetIndex": link.input,
        }
        moved = [
            key
            for key, id_, side in (("sourceIndex", link.source, "outputs"), ("targetIndex", link.target, "inputs"))
            if getattr(original.nodes.get(id_), side, ()) != getattr(workflow.nodes.get(id_), side, ())
        ]
        # A name of a port may have come to mean another one.
        raw.update({key: whole[key] for key in moved if isinstance(raw.get(key), str)})
        found.append(raw if kept is not None and "sourceId" in raw else {**whole, **raw})
    return found
