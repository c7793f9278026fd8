"""Checks ports against those that a component's type has, for files and for workflows that are being built."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sre_core.components.base import Component
from sre_core.components.node import Node, OutputPort
from sre_core.components.path import path_flaw, split_path
from sre_core.workflows.check_words import used_names
from sre_core.workflows.graph import ENDPOINT, Workflow, method_of
from sre_core.workflows.problem import Place, Problem

__all__ = ["REQUEST", "Lack", "input_lack", "near", "output_lack", "request_lack", "type_problems"]

REQUEST = ("headers", "body", "query", "params")
"""What an endpoint gives of each request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """What a node does not have: a message that goes on after its name, "has no input 'Dta'", and the next step.

    `undeclared` is the name of an input that its author may have meant to declare.
    """

    message: str
    hint: str
    undeclared: str = ""


def near(name: str, known: Sequence[str]) -> str:
    """A hint: the known name that is like this one, else all of them."""
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"it has: {', '.join(known) or 'none'}"


def input_lack(name: str, kind: type[Component], known: Sequence[str]) -> Lack | None:
    """What is wrong with an input of that name, if anything is. `known` are those that there are."""
    if name in known or kind.open_inputs:
        return None
    return Lack(message=f"has no input {name!r}", hint=near(name, known))


def output_lack(name: str, kind: type[Component], known: Sequence[str]) -> Lack | None:
    """What is wrong with an output of that name. What begins with "_", as `_error`, any node may give."""
    if name in known or name.startswith("_") or kind.open_outputs:
        return None
    return Lack(message=f"has no output {name!r}", hint=near(name, known))


def request_lack(endpoint: Node, path: Sequence[str], heads: Sequence[str] = REQUEST) -> Lack | None:
    """What is wrong with a path into what an endpoint gives, "body", "city", whose author said what it takes.

    `heads` are what such a path may begin with.
    """
    if not endpoint.inputs or not path or path[0].startswith("_"):
        return None
    head, *rest = path
    if head not in heads:
        return Lack(message=f"has no output {head!r}", hint=near(head, list(dict.fromkeys(heads))))
    if not rest or head not in {"body", "query"}:
        return None
    known = [port.name for port in endpoint.inputs]
    # A name with dots is a path itself.
    is_declared = any(rest[0] == name or split_path(name)[:1] == (rest[0],) for name in known)
    home = "query" if method_of(endpoint) == "GET" else "body"
    if head == home and not is_declared:
        return Lack(message=f"has no input {rest[0]!r}", hint=near(rest[0], known), undeclared=rest[0])
    if head == "body" and home == "query" and is_declared:
        message = f"has no input {rest[0]!r} in a body: it is asked with GET"
        return Lack(message=message, hint=f"take it from query.{rest[0]}")
    return None


def type_problems(
    workflow: Workflow, places: Mapping[str, Place], types: Mapping[str, type[Component]]
) -> Iterator[Problem]:
    """Ports that the type of their node does not have. `types` has the types that are known, by node."""
    taken = {(link.source, link.output) for link in workflow.links}
    fed = {(link.target, link.input) for link in workflow.links}
    for id_, node in workflow.nodes.items():
        place, kind = places[id_], types.get(id_)
        yield from _path_problems(node, place)
        if kind is None:
            continue
        yield from _input_problems(node, place, kind, [i for i in range(len(node.inputs)) if (id_, i) in fed])
        if node.type == ENDPOINT:
            yield from _request_problems(node, place)
        else:
            yield from _output_problems(node, place, kind, [i for i in range(len(node.outputs)) if (id_, i) in taken])


def _path_problems(node: Node, place: Place) -> Iterator[Problem]:
    for position, port in enumerate(node.outputs):
        flaw = path_flaw(_path(port))
        # The name of an output that every node of the type has is none of the author's.
        if flaw and not (port.default and not port.expression):
            yield _at(position, port, place).warning(f"the path of the output {port.name!r} {flaw}")


def _input_problems(node: Node, place: Place, kind: type[Component], fed: Sequence[int]) -> Iterator[Problem]:
    known = [port.name for port in kind.inputs]
    there = {port.name for port in node.inputs}
    missed = [port.name for port in kind.inputs if not port.optional and port.name not in there]
    lacks = [(position, input_lack(node.inputs[position].name, kind, known)) for position in fed]
    # A setting may name an input of the author's also where the component itself takes none.
    used = used_names(node) if any(lack for _, lack in lacks) else frozenset()
    wrong = [(position, lack) for position, lack in lacks if lack and node.inputs[position].name not in used]
    for position, lack in wrong:
        here = place.at("inputs", position, "name")
        # What is linked to a wrong name is missing at the right one. Else it does no more than make the node wait.
        say = here.error if missed else here.warning
        yield say(f"the type {node.type!r} {lack.message}", hint=lack.hint)
    if not wrong:
        for name in missed:
            yield place.at("inputs").warning(f"there is no input {name!r}, which the component needs")


def _output_problems(node: Node, place: Place, kind: type[Component], taken: Sequence[int]) -> Iterator[Problem]:
    known = [port.name for port in kind.outputs]
    base = _first(node)
    for position in taken:
        port = node.outputs[position]
        path = split_path(_path(port))
        lack = output_lack(path[0], kind, known) if path else None
        if lack is None:
            continue
        here = _at(position, port, place)
        if port.default or base not in known:
            yield here.error(f"the type {node.type!r} {lack.message}", hint=lack.hint)
        elif len(path) > 1 or difflib.get_close_matches(path[0], known, n=1):
            # A name alone may be a key of what the first output gives.
            yield here.warning(f"the type {node.type!r} {lack.message}", hint=lack.hint)


def _request_problems(node: Node, place: Place) -> Iterator[Problem]:
    base = _first(node)
    for position, port in enumerate(node.outputs):
        path = split_path(_path(port))
        is_path = port.default or port.expression or len(path) > 1
        if path and not is_path and not path[0].startswith("_") and path[0] not in REQUEST and base is not None:
            # A name alone is looked for in the first output.
            path = (base, *path)
        lack = request_lack(node, path)
        if lack is not None:
            yield _at(position, port, place).warning(f"it {lack.message}", hint=lack.hint)


def _first(node: Node) -> str | None:
    """The output in which those are looked for that an author added."""
    return next((port.name for port in node.outputs if port.default), None)


def _at(position: int, port: OutputPort, place: Place) -> Place:
    return place.at("outputs", position, "expression" if port.expression else "name")


def _path(port: OutputPort) -> str:
    return port.expression or port.name
