"""Checks the templates of a workflow: whether their placeholders name anything, and are written as such."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from sre_core.components.node import Node
from sre_core.components.path import path_flaw, split_path
from sre_core.components.template import pieces, placeholders
from sre_core.workflows.graph import ENDPOINT, Workflow
from sre_core.workflows.json_text import DEPTH
from sre_core.workflows.problem import Place, Problem

__all__ = ["INERT", "placeholder_problems", "template_problems", "texts", "used_names"]

INERT = frozenset({"Component", "Note"})
"""The types of nodes that do nothing."""

_NO_TEMPLATES = frozenset(
    {"code", "code_body", "code_imports", "desc", "description", "doc", "endpointLabel", "summary"}
)
"""Settings that are shown or handed on as they are."""

_NAMELESS = re.compile(r"(?<!\{)\{\{(?:KEY\(\s*\))?\}\}(?!\})")
# With a colon behind it, it may be an object in some language.
_OPEN = re.compile(r"\{\{[ \t]*(?P<name>KEY\(|\w+(?![\w:]))")


def placeholder_problems(workflow: Workflow, node: Node, place: Place) -> Iterator[Problem]:
    """Placeholders in settings that name neither an input of the node nor a variable of the agent."""
    if node.type in INERT or node.type == ENDPOINT:
        return
    known = [*dict.fromkeys([port.name for port in node.inputs] + list(workflow.variables))]
    for keys, text in _templates(node):
        yield from template_problems(text, known, place.at("data", *keys))


def template_problems(
    text: str,
    known: Sequence[str],
    place: Place,
    *,
    lacking: str = "no input of this component and no variable of the agent",
) -> Iterator[Problem]:
    """What is odd in one template. `known` are the names that have a value in it, `lacking` says what those are."""
    for name in dict.fromkeys(placeholders(text)):
        written = f"{{{{{name}}}}}"
        if name in known:
            continue
        if _root(name) not in known:
            yield place.warning(f"{written} names {lacking}", hint=_near(name, known))
        elif path_flaw(name):
            meant = ".".join(split_path(name))
            yield place.warning(f"the path in {written} {path_flaw(name)}", hint=f"it is read as {{{{{meant}}}}}")
    for written in dict.fromkeys(match[0] for match in _NAMELESS.finditer(text)):
        what = "a secret" if "KEY" in written else "anything"
        yield place.warning(f"there is no name of {what} in {written}")
    around = (piece for piece, is_placeholder in pieces(text) if not is_placeholder)
    names = dict.fromkeys(match["name"] for piece in around for match in _OPEN.finditer(piece))
    for name in names:
        if name in (*known, "KEY("):
            yield place.warning(f"a placeholder that begins with {{{{{name} is not closed", hint="it ends with }}")


def used_names(node: Node) -> frozenset[str]:
    """What the placeholders in a node's settings begin with."""
    names = [name for _, text in _templates(node) for name in placeholders(text)]
    return frozenset(part for name in names for part in (name, _root(name)))


def _root(name: str) -> str:
    parts = split_path(name)
    return parts[0] if parts else name


def _near(name: str, known: Sequence[str]) -> str:
    """A hint: the name that is meant by one that is not known, or ""."""
    bare = name.strip()
    if bare in known:
        return f"write {{{{{bare}}}}}, without spaces"
    close = difflib.get_close_matches(_root(name), known, n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def _templates(node: Node) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for keys, text in texts(node.data):
        # Editors keep what belongs to component templates, and to themselves, under keys that begin with "_".
        if "{{" in text and str(keys[0]) not in _NO_TEMPLATES and not str(keys[0]).startswith("_"):
            yield keys, text


def texts(value: Any, keys: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """All texts in a value, each with the keys and positions that lead to it."""
    if isinstance(value, str):
        yield keys, value
    elif len(keys) > DEPTH:
        # No file is as deep, but a value that was made in code may contain itself.
        return
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, (*keys, key))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from texts(item, (*keys, position))
