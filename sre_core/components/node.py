"""Nodes and their ports: what a workflow file says of one component."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["InputPort", "Node", "OutputPort"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputPort:
    """Where a node takes a value. `type` is one of the words of `sre_core.components.values`, in any case.

    `default` is used when no value came; text in it is a template. `is_file` asks for a file whatever the type says.
    """

    name: str
    type: str = "Any"
    optional: bool = False
    default: Any = None
    is_file: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPort:
    """Where a node gives a value: `expression`, or `name`, is a path such as "Response.items[0].id".

    A `default` port is one that every node of the type has; the others are paths into what those give.
    """

    name: str
    default: bool = False
    expression: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node of a workflow: a component of type `type` with the settings `data`, as the file has them.

    `label` is the name that results carry, `title` what its author called it. `template` is what `data` holds for
    a component made from a template, by id: `{"id", "label", "type", "value", …}`.
    """

    id: str
    type: str
    title: str = ""
    label: str = ""
    description: str = ""
    inputs: tuple[InputPort, ...] = ()
    outputs: tuple[OutputPort, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    template: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        """The title and the id, as messages name it."""
        return f"{self.title or self.label or self.type!s} ({self.type} {self.id})"

    def input(self, name: str) -> InputPort | None:
        """The input of that name, if there is one."""
        return next((port for port in self.inputs if port.name == name), None)

    def custom_outputs(self) -> tuple[OutputPort, ...]:
        """The outputs that its author added."""
        return tuple(port for port in self.outputs if not port.default)
