"""Tells a workflow as an indented list: what each entry leads to."""

from collections.abc import Iterator

from sre_core.components.node import Node
from sre_core.workflows.cells import clean, cut
from sre_core.workflows.graph import Link, Workflow

__all__ = ["link_text", "name_of", "outline"]

_INDENT = 2
_DEEPEST = 20


def outline(workflow: Workflow, *, width: int = 100, arrow: str = "→") -> str:
    """A line for each node below what leads to it; what has been told once is only named again."""
    leaving: dict[str, list[Link]] = {id_: [] for id_ in workflow.nodes}
    for link in workflow.links:
        leaving[link.source].append(link)
    entered = {link.target for link in workflow.links}
    told: set[str] = set()
    lines: list[str] = []
    # Nodes of a circle that nothing leads into are begun with where the file begins.
    for id_ in [id_ for id_ in workflow.nodes if id_ not in entered] + list(workflow.nodes):
        if id_ not in told:
            lines += (cut(line, width) for line in _tell(workflow, id_, leaving, told, arrow))
    return "\n".join(lines)


def name_of(node: Node) -> str:
    """What a person calls a node, safe to print."""
    return clean(node.title or node.label or node.type or node.id)


def link_text(workflow: Workflow, link: Link, *, arrow: str = "→") -> str:
    """A link in words: "Sleep.Output → Prompt.Input"."""
    source, target = workflow.nodes[link.source], workflow.nodes[link.target]
    goal = "" if link.input < 0 else f".{clean(target.inputs[link.input].name)}"
    return f"{name_of(source)}.{clean(source.outputs[link.output].name)} {arrow} {name_of(target)}{goal}"


def _tell(workflow: Workflow, start: str, leaving: dict[str, list[Link]], told: set[str], arrow: str) -> Iterator[str]:
    open_: list[tuple[str, int, str]] = [(start, 0, "")]
    while open_:
        id_, depth, way = open_.pop()
        node = workflow.nodes[id_]
        # A chain of hundreds of nodes would leave the screen to the right.
        indent = " " * (_INDENT * min(depth, _DEEPEST))
        kind = f" ({clean(node.type)})" if clean(node.type) != name_of(node) else ""
        if id_ in told:
            yield f"{indent}{way}{name_of(node)}, as above"
            continue
        told.add(id_)
        yield f"{indent}{way}{name_of(node)}{kind}"
        for link in reversed(leaving[id_]):
            target = workflow.nodes[link.target]
            goal = "" if link.input < 0 else f" as {clean(target.inputs[link.input].name)}"
            open_.append((link.target, depth + 1, f"{clean(node.outputs[link.output].name)}{goal} {arrow} "))
