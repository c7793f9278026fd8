"""Which nodes of a workflow follow which: what an endpoint reaches, circles of links, and columns to draw them in."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sre_core.errors import WorkflowError
from sre_core.workflows.graph import Link, Workflow

__all__ = ["Columns", "circles", "columns", "only", "reachable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Nodes in columns, such that links lead to the right, but for those that are `back`: each closes a circle."""

    of: Mapping[str, int]
    back: frozenset[Link]


def reachable(workflow: Workflow, starts: Iterable[str]) -> frozenset[str]:
    """The ids of the nodes `starts`, and of all that links lead to from there."""
    following = _following(workflow)
    found: set[str] = set()
    open_ = list(starts)
    while open_:
        node = open_.pop()
        if node not in found:
            found.add(node)
            open_ += following[node]
    return frozenset(found)


def only(workflow: Workflow, name: str) -> Workflow:
    """The part of a workflow that its endpoint or trigger `name` reaches. Raises WorkflowError for an unknown one."""
    starts = {**workflow.triggers, **workflow.endpoints}
    if name not in starts:
        close = difflib.get_close_matches(name, starts, n=1)
        known = ", ".join(starts) or "none"
        hint = f"did you mean {close[0]!r}?" if close else f"there are: {known}"
        raise WorkflowError(f"no endpoint or trigger is called {name!r}", hint=hint)
    reached = reachable(workflow, [starts[name].id])
    return replace(
        workflow,
        nodes={id_: node for id_, node in workflow.nodes.items() if id_ in reached},
        links=tuple(link for link in workflow.links if link.source in reached),
    )


def columns(workflow: Workflow) -> Columns:
    """The column of each node: as far to the left as all that lead to it allow, those that nothing leads to first."""
    order, back_pairs = _depth_first(workflow)
    following = _following(workflow)
    column = dict.fromkeys(workflow.nodes, 0)
    for node in reversed(order):
        for target in following[node]:
            if (node, target) not in back_pairs:
                column[target] = max(column[target], column[node] + 1)
    back = frozenset(link for link in workflow.links if (link.source, link.target) in back_pairs)
    return Columns(of=column, back=back)


def circles(workflow: Workflow) -> list[tuple[str, ...]]:
    """The sets of nodes that links lead around in, of one node where it is linked to itself; in order of the file."""
    order, _ = _depth_first(workflow)
    leading: dict[str, list[str]] = {id_: [] for id_ in workflow.nodes}
    for link in workflow.links:
        leading[link.target].append(link.source)
    seen: set[str] = set()
    found = []
    # Kosaraju's algorithm: against the links, and from the last to be left, only its own circle can be reached.
    for start in reversed(order):
        members: set[str] = set()
        open_ = [start]
        while open_:
            node = open_.pop()
            if node not in seen:
                seen.add(node)
                members.add(node)
                open_ += leading[node]
        if len(members) > 1 or (members and start in leading[start]):
            found.append(members)
    place = {id_: position for position, id_ in enumerate(workflow.nodes)}
    ordered = [tuple(sorted(members, key=place.__getitem__)) for members in found]
    return sorted(ordered, key=lambda members: place[members[0]])


def _following(workflow: Workflow) -> dict[str, list[str]]:
    following: dict[str, dict[str, None]] = {id_: {} for id_ in workflow.nodes}
    for link in workflow.links:
        following[link.source][link.target] = None
    return {id_: list(targets) for id_, targets in following.items()}


def _depth_first(workflow: Workflow) -> tuple[list[str], set[tuple[str, str]]]:
    """The nodes in the order in which they are left, and the pairs that lead back to where the way came from.

    Nodes that nothing leads to begin, so that a circle is entered where a run would.
    """
    following = _following(workflow)
    targets = {link.target for link in workflow.links}
    starts = [id_ for id_ in workflow.nodes if id_ not in targets] + list(workflow.nodes)
    order: list[str] = []
    back: set[tuple[str, str]] = set()
    entered: set[str] = set()
    for start in starts:
        if start in entered:
            continue
        entered.add(start)
        way = {start: iter(following[start])}
        while way:
            node = next(reversed(way))
            target = next(way[node], None)
            if target is None:
                del way[node]
                order.append(node)
            elif target in way:
                back.add((node, target))
            elif target not in entered:
                entered.add(target)
                way[target] = iter(following[target])
    return order, back
