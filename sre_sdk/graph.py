"""A workflow while it is being built: nodes that may change, and links between them."""

import re
from dataclasses import dataclass, replace
from typing import Any

from sre_core.components.base import Component
from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.errors import WorkflowError
from sre_core.workflows.graph import Link, Workflow

__all__ = ["Draft", "Graph"]


@dataclass(slots=True, eq=False)
class Draft:
    """A node that may still change; without an id until somebody needs it. Its ports are added, never moved."""

    node: Node

    def output_at(self, name: str) -> int:
        """The position of an output, which is added if it is not there."""
        ports = self.node.outputs
        position = next((index for index, port in enumerate(ports) if port.name == name), len(ports))
        if position == len(ports):
            self.node = replace(self.node, outputs=(*ports, OutputPort(name=name)))
        return position

    def input_at(self, name: str) -> int:
        """The position of an input, which is added if it is not there."""
        ports = self.node.inputs
        position = next((index for index, port in enumerate(ports) if port.name == name), len(ports))
        if position == len(ports):
            self.node = replace(self.node, inputs=(*ports, InputPort(name=name)))
        return position

    def put_input(self, name: str, **changes: Any) -> None:
        """Say something of an input."""
        position = self.input_at(name)
        ports = list(self.node.inputs)
        ports[position] = replace(ports[position], **changes)
        self.node = replace(self.node, inputs=tuple(ports))

    def put_output(self, name: str, **changes: Any) -> None:
        """Say something of an output."""
        position = self.output_at(name)
        ports = list(self.node.outputs)
        ports[position] = replace(ports[position], **changes)
        self.node = replace(self.node, outputs=tuple(ports))


@dataclass(frozen=True, slots=True, eq=False)
class _DraftLink:
    source: Draft
    output: int
    target: Draft
    input: int


class Graph:
    """Drafts and links. Two graphs that are linked become one: `root` is the one that a graph went up in."""

    def __init__(self, workflow: Workflow | None = None) -> None:
        """Begin with what a workflow has; then this is the graph of an agent, and others go up in it."""
        self._into: Graph | None = None
        self._is_home = workflow is not None
        nodes = workflow.nodes if workflow else {}
        drafts = {id_: Draft(node) for id_, node in nodes.items()}
        self._drafts = list(drafts.values())
        self._links = [
            _DraftLink(drafts[link.source], link.output, drafts[link.target], link.input)
            for link in (workflow.links if workflow else ())
        ]
        self.kinds: dict[str, type[Component]] = {}
        """The component types that were given as classes: no plugin needs to offer them."""
        self.version = 0
        """Grows with every change."""

    @property
    def root(self) -> "Graph":
        """The graph that holds what this one held."""
        graph = self
        while graph._into is not None:
            graph = graph._into
        return graph

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """The nodes, in the order in which they came."""
        return tuple(self._drafts)

    def fill(self, workflow: Workflow) -> Workflow:
        """`workflow` with the nodes and links that are here; drafts without an id get one for good."""
        taken = {draft.node.id for draft in self._drafts}
        for draft in self._drafts:
            if not draft.node.id:
                draft.node = replace(draft.node, id=_free_id(draft.node.type, taken))
                taken.add(draft.node.id)
        links = tuple(
            Link(source=link.source.node.id, output=link.output, target=link.target.node.id, input=link.input)
            for link in self._links
        )
        return replace(workflow, nodes={draft.node.id: draft.node for draft in self._drafts}, links=links)

    def add(self, draft: Draft) -> None:
        """Add a node. Raises WorkflowError for an id that is taken."""
        self._check_free(draft)
        self._drafts.append(draft)
        self.version += 1

    def link(self, source: Draft, output: str, target: Draft, name: str) -> None:
        """Link an output to an input; both are added where they are missing. The same link twice is one."""
        made = (source, source.output_at(output), target, target.input_at(name))
        if all((link.source, link.output, link.target, link.input) != made for link in self._links):
            self._links.append(_DraftLink(*made))
        self.version += 1

    def changed(self) -> None:
        """Note that a draft was changed."""
        self.version += 1

    def join(self, other: "Graph") -> "Graph":
        """Make one graph of two, and return it. Raises WorkflowError for those of two agents, or with a name twice."""
        one, two = self.root, other.root
        if one is two:
            return one
        if one._is_home and two._is_home:  # noqa: SLF001 -- another one of this class
            raise WorkflowError("two parts belong to two agents", hint="build a part of its own for each agent")
        kept, gone = (two, one) if two._is_home else (one, two)  # noqa: SLF001
        for draft in gone._drafts:  # noqa: SLF001
            kept._check_free(draft)  # noqa: SLF001
        for name, kind in gone.kinds.items():
            if kept.kinds.setdefault(name, kind) is not kind:
                raise WorkflowError(f"two component types have the name {name!r}", hint="rename one of the classes")
        kept._drafts += gone._drafts  # noqa: SLF001
        kept._links += gone._links  # noqa: SLF001
        kept.version += 1
        gone._into = kept  # noqa: SLF001
        return kept

    def _check_free(self, draft: Draft) -> None:
        if draft.node.id and any(other.node.id == draft.node.id for other in self._drafts):
            raise WorkflowError(f"two nodes have the id {draft.node.id!r}", hint="give one of them another id")


def _free_id(kind: str, taken: set[str]) -> str:
    """The type in capitals, and the first number that makes it unlike all others."""
    stem = re.sub(r"[^A-Z0-9]", "", kind.upper()) or "NODE"
    number = 1
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"
