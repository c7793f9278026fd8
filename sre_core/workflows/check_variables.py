"""Checks the variables of an agent: what the placeholders in their values name, and whether they contain themselves."""

from collections.abc import Iterator, Mapping

from sre_core.components.path import split_path
from sre_core.components.template import VARIABLE_DEPTH, placeholders
from sre_core.workflows.check_words import template_problems, texts
from sre_core.workflows.graph import Workflow
from sre_core.workflows.problem import Place, Problem

__all__ = ["variable_problems"]

_Path = tuple[str, ...]
"""Where a text is among the variables: a name, and the keys and positions inside of what has the name."""
_Links = Mapping[_Path, tuple[_Path, ...]]
"""For each text with placeholders, those that these name."""


def variable_problems(workflow: Workflow, place: Place) -> Iterator[Problem]:
    """All that is odd in the variables. `place` is where they are."""
    inputs = {port.name for node in workflow.nodes.values() for port in node.inputs}
    known = [*workflow.variables, *sorted(inputs - workflow.variables.keys())]
    for name, value in workflow.variables.items():
        if isinstance(value, str) and "{{" in value:
            yield from template_problems(
                value, known, place.at(name), lacking="no variable of the agent and no input of a component"
            )
    links = _links(workflow)
    endless = _endless(links)
    for circle in _circles(links, endless):
        names = ", ".join(repr(".".join(path)) for path in circle[:5]) + (", …" if len(circle) > 5 else "")
        what = (
            f"the variables {names} contain each other" if len(circle) > 1 else f"the variable {names} contains itself"
        )
        # An input goes before a variable of its name, and may end the circle.
        here = place.at(*circle[0])
        yield here.warning(what) if any(path[0] in inputs for path in circle) else here.error(what)
    too_deep = _too_deep(links) - endless
    for path in (path for path in links if path in too_deep):
        if not any(path[0] in inputs for path in links[path]):
            what = f"the variable {'.'.join(path)!r} holds {VARIABLE_DEPTH} others in each other"
            yield place.at(*path).error(what, hint="write out what one of them means")


def _links(workflow: Workflow) -> _Links:
    templates = {tuple(map(str, keys)): text for keys, text in texts(workflow.variables) if "{{" in text}
    links: dict[_Path, tuple[_Path, ...]] = {}
    for path, text in templates.items():
        named = dict.fromkeys(
            (name,) if name in workflow.variables else split_path(name) for name in placeholders(text)
        )
        links[path] = tuple(other for other in named if other in templates)
    return links


def _endless(links: _Links) -> frozenset[_Path]:
    """The texts that end in no text without placeholders, however far one goes."""
    named_by: dict[_Path, list[_Path]] = {}
    for path, others in links.items():
        for other in others:
            named_by.setdefault(other, []).append(path)
    left = {path: len(others) for path, others in links.items()}
    ended = [path for path, count in left.items() if not count]
    while ended:
        path = ended.pop()
        del left[path]
        for other in named_by.get(path, ()):
            left[other] -= 1
            if not left[other]:
                ended.append(other)
    return frozenset(left)


def _circles(links: _Links, endless: frozenset[_Path]) -> Iterator[tuple[_Path, ...]]:
    """A circle of each part in which all texts are endless, from the member that stands first in the file."""
    order = {path: position for position, path in enumerate(links) if path in endless}
    seen: set[_Path] = set()
    for start in order:
        way: dict[_Path, None] = {}
        path = start
        while path not in seen:
            seen.add(path)
            way[path] = None
            path = next(other for other in links[path] if other in endless)
        if path in way:
            passed = [*way]
            members = passed[passed.index(path) :]
            first = members.index(min(members, key=order.__getitem__))
            yield (*members[first:], *members[:first])


def _too_deep(links: _Links) -> set[_Path]:
    """The texts that hold more others in each other than a template fills, but for those that these hold."""
    deep = set(links)
    for _ in range(VARIABLE_DEPTH):
        deep = {path for path in deep if any(other in deep for other in links[path])}
    return deep - {other for path in deep for other in links[path]}
