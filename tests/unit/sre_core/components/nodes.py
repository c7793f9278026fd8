"""Components to look at, and not to run."""

from collections.abc import Mapping, Sequence
from typing import Any

from sre_core.components.base import Component
from sre_core.components.library import builtin_component
from sre_core.components.node import InputPort, Node

__all__ = ["made"]


def made(name: str, data: Mapping[str, Any] | None = None, inputs: Sequence[str] = ()) -> Component:
    """A component of a type, with settings as in a file and inputs by name."""
    found = builtin_component(name)
    assert found is not None
    return found.of(Node(id="N1", type=name, data=data or {}, inputs=tuple(InputPort(name=port) for port in inputs)))
