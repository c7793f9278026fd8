"""Workflows as values: nodes, the links between their ports, and the agent that they make up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from sre_core.components.node import Node

__all__ = ["ENDPOINT", "Link", "Workflow", "method_of"]

ENDPOINT = "APIEndpoint"
"""The type of the nodes where a workflow can be entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """From an output of one node to an input of another, by their positions among the node's ports.

    An `input` of -1 is of a trigger that starts an endpoint: the target is entered as by a request.
    """

    source: str
    output: int
    target: str
    input: int


# Not slotted: cached_property needs a __dict__.
@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A graph, and what its file says of the agent that it belongs to. Nothing here changes while it runs.

    `nodes` are by id, in order of the file; `links` lead from nodes and ports to ports that exist. `document` is the
    file's whole content, which the loader keeps for whoever writes it back; `path` is where it came from.
    """

    id: str
    name: str = ""
    description: str = ""
    behavior: str = ""
    team: str = "default"
    model: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    path: str | None = None

    @cached_property
    def endpoints(self) -> Mapping[str, Node]:
        """The nodes that a request can enter at, by the name that it uses.

        Of two with one name and one method the later counts. One with the name of an earlier one and another method
        goes by both: "find", and "find-get" for the one that is asked with GET.
        """
        by_method: dict[str, dict[str, Node]] = {}
        for node in self.nodes.values():
            name = node.data.get("endpoint")
            if node.type == ENDPOINT and isinstance(name, str) and name:
                by_method.setdefault(name, {})[method_of(node)] = node
        found = {name: next(iter(nodes.values())) for name, nodes in by_method.items()}
        for name, nodes in by_method.items():
            for method, node in list(nodes.items())[1:]:
                found.setdefault(f"{name}-{method.lower()}", node)
        return MappingProxyType(found)

    @cached_property
    def triggers(self) -> Mapping[str, Node]:
        """The nodes that an event from outside enters at, by the name of their trigger; of two the later."""
        found: dict[str, Node] = {}
        for node in self.nodes.values():
            name = node.data.get("triggerEndpoint")
            if isinstance(name, str) and name:
                found[name] = node
        return MappingProxyType(found)


def method_of(endpoint: Node) -> str:
    """GET or POST, as an endpoint is asked; POST where the file does not say."""
    return str(endpoint.data.get("method") or "POST").upper()
