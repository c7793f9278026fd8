"""Checks what a session of debugging injects, which would else be put where nothing looks for it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sre_core.components.node import OutputPort
from sre_core.components.path import split_path
from sre_core.errors import WorkflowError
from sre_core.workflows.check_ports import near
from sre_sdk.flow import Flow

__all__ = ["check_injection"]

_ALWAYS = frozenset({"_error", "_debug", "_debug_time"})
"""The outputs that any node may give."""


def check_injection(flow: Flow, node_id: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Raise WorkflowError for a node that the workflow does not have, and for ports that the node does not have.

    A component that is not installed takes any name. Of the others an input may have any name where authors may add
    inputs; an output never, since no link takes one that is no port, nor the beginning of a port's path, nor `_error`.
    """
    node = flow.workflow.nodes.get(node_id)
    if node is None:
        raise WorkflowError(f"the workflow has no node {node_id!r}", hint=near(node_id, list(flow.workflow.nodes)))
    kind = flow.component(node.type)
    if kind is None:
        return
    if not kind.open_inputs:
        _check(f"{node} has no input", inputs, [port.name for port in node.inputs])
    given = [name for name in outputs if name not in _ALWAYS]
    _check(f"{node} has no output", given, _names((*node.outputs, *kind.outputs)))


def _check(what: str, names: Iterable[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise WorkflowError(f"{what} {name!r}", hint=near(name, known))


def _names(ports: Iterable[OutputPort]) -> list[str]:
    """What outputs are called, and what the paths among them begin with."""
    found: dict[str, None] = {}
    for port in ports:
        found.update(dict.fromkeys((*split_path(port.expression or port.name)[:1], port.name)))
    return list(found)
