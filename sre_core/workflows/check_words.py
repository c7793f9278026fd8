"""Checks the templates of a workflow: whether their placeholders name anything."""

import difflib
from collections.abc import Iterator
from typing import Any

from sre_core.components.node import Node
from sre_core.components.path import split_path
from sre_core.components.template import placeholders
from sre_core.workflows.graph import ENDPOINT, Workflow
from sre_core.workflows.json_text import DEPTH
from sre_core.workflows.problem import Place, Problem

__all__ = ["INERT", "placeholder_problems", "used_names"]

INERT = frozenset({"Component", "Note"})
"""The types of nodes that do nothing."""

_NO_TEMPLATES = frozenset(
    {"code", "code_body", "code_imports", "desc", "descForModel", "description", "doc", "endpointLabel", "summary"}
)
"""Settings that are shown or handed on as they are."""


def placeholder_problems(workflow: Workflow, node: Node, place: Place) -> Iterator[Problem]:
    """Placeholders in settings that name neither an input of the node nor a variable of the agent."""
    if node.type in INERT or node.type == ENDPOINT:
        return
    known = [*dict.fromkeys([port.name for port in node.inputs] + list(workflow.variables))]
    for keys, name in _placeholders(node):
        if name in known or _root(name) in known:
            continue
        bare = name.strip()
        close = [bare] if bare in known else difflib.get_close_matches(_root(name), known, n=1)
        hint = f"write {{{{{close[0]}}}}}, without spaces" if bare in known else ""
        hint = hint or (f"did you mean {close[0]!r}?" if close else "")
        yield place.at("data", *keys).warning(
            f"{{{{{name}}}}} names no input of this component and no variable of the agent", hint=hint
        )


def used_names(node: Node) -> frozenset[str]:
    """What the placeholders in a node's settings begin with."""
    return frozenset(part for _, name in _placeholders(node) for part in (name, _root(name)))


def _root(name: str) -> str:
    parts = split_path(name)
    return parts[0] if parts else name


def _placeholders(node: Node) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for keys, text in _texts(node.data, ()):
        # Editors keep what belongs to component templates, and to themselves, under keys that begin with "_".
        if "{{" in text and str(keys[0]) not in _NO_TEMPLATES and not str(keys[0]).startswith("_"):
            for name in dict.fromkeys(placeholders(text)):
                yield keys, name


def _texts(value: Any, keys: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield keys, value
    elif len(keys) > DEPTH:
        # No file is as deep, but a value that was made in code may contain itself.
        return
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*keys, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(item, (*keys, position))
