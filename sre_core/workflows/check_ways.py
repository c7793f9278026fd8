"""Checks where the links of a workflow lead: what is never reached, never fed, or never left."""

from collections.abc import Iterator, Mapping
from itertools import chain

from sre_core.components.base import Component
from sre_core.components.node import InputPort, Node
from sre_core.workflows.check_words import INERT, used_names
from sre_core.workflows.graph import ENDPOINT, Link, Workflow
from sre_core.workflows.problem import Place, Problem
from sre_core.workflows.reach import circles, reachable
from sre_core.workflows.smyth_reader import link_places

__all__ = ["way_problems"]


def way_problems(
    workflow: Workflow, places: Mapping[str, Place], types: Mapping[str, type[Component]]
) -> Iterator[Problem]:
    """All that is wrong with the ways through a workflow. `types` has the component types that are known, by node."""
    starts = {id_ for id_, node in workflow.nodes.items() if _is_start(node)}
    reached = reachable(workflow, starts)
    arriving: dict[str, list[Link]] = {id_: [] for id_ in workflow.nodes}
    for link in workflow.links:
        arriving[link.target].append(link)
    yield from _unreached(workflow, places, starts, reached)
    yield from _link_problems(workflow, places)
    for id_ in workflow.nodes:
        if id_ in reached and id_ not in starts:
            yield from _unfed(workflow.nodes[id_], places[id_], arriving[id_], types.get(id_))
    for members in circles(workflow):
        if len(members) > 1:
            yield from _circle_problems(workflow, places, members, arriving, starts)


def _is_start(node: Node) -> bool:
    return node.type == ENDPOINT or node.type.endswith("Trigger") or bool(node.data.get("triggerEndpoint"))


def _unreached(
    workflow: Workflow, places: Mapping[str, Place], starts: set[str], reached: frozenset[str]
) -> Iterator[Problem]:
    active = [id_ for id_, node in workflow.nodes.items() if node.type not in INERT]
    if not starts:
        if active:
            yield Place().warning("there is no endpoint and no trigger, so nothing can be started")
        return
    for id_ in active:
        if id_ not in reached:
            yield places[id_].warning("no endpoint or trigger leads here, so it never runs")


def _link_problems(workflow: Workflow, places: Mapping[str, Place]) -> Iterator[Problem]:
    seen: set[Link] = set()
    for link, at in zip(workflow.links, link_places(workflow), strict=True):
        source, target = workflow.nodes[link.source], workflow.nodes[link.target]
        output = source.outputs[link.output].name
        if link.input < 0 and target.type != ENDPOINT:
            yield _of(places[link.target], at.at("targetIndex")).error(
                f"a link from {source} leads to input -1, which only an endpoint has",
                hint="link it to one of the inputs",
            )
        if link.source == link.target:
            yield _of(places[link.source], at).warning(f"its output {output!r} is linked to the component itself")
        if link in seen:
            yield _of(places[link.source], at).warning(
                f"its output {output!r} is linked to {target} already, which brings the value twice"
            )
        seen.add(link)


def _of(component: Place, place: Place) -> Place:
    """A place elsewhere in the file, of what belongs to a component."""
    return Place(place.path, component.node_id, component.title)


def _unfed(node: Node, place: Place, arriving: list[Link], cls: type[Component] | None) -> Iterator[Problem]:
    """Inputs that matter and have neither a link nor a default: the type needs them, or a template names them."""
    fed = {node.inputs[link.input].name for link in arriving if link.input >= 0}
    needed = {port.name for port in (cls.inputs if cls else ()) if not port.optional}
    used = used_names(node)
    for position, port in enumerate(node.inputs):
        if port.name in fed or _has_default(port) or port.optional:
            continue
        if port.name in used:
            yield place.at("inputs", position).warning(
                f"nothing is linked to the input {port.name!r}, which the settings use"
            )
        elif port.name in needed:
            yield place.at("inputs", position).warning(f"nothing is linked to the input {port.name!r}")


def _has_default(port: InputPort) -> bool:
    return port.default not in (None, "")


def _circle_problems(
    workflow: Workflow,
    places: Mapping[str, Place],
    members: tuple[str, ...],
    arriving: Mapping[str, list[Link]],
    starts: set[str],
) -> Iterator[Problem]:
    inside = set(members)
    names = ", ".join(str(workflow.nodes[id_]) for id_ in members[:5]) + (", …" if len(members) > 5 else "")
    place = places[members[0]]
    leaves = any(link.source in inside and link.target not in inside for link in workflow.links)
    if not leaves:
        yield place.warning(f"links lead around in a circle, and none leads out of it: {names}")
    links = list(chain.from_iterable(arriving[id_] for id_ in members))
    is_entered = any(link.source not in inside for link in links) or not starts.isdisjoint(inside)
    if is_entered and not any(
        _can_begin(workflow.nodes[id_], arriving[id_], inside, is_start=id_ in starts) for id_ in members
    ):
        yield place.warning(
            f"each of these waits for another one of them: {names}",
            hint="make an input optional that a link of the circle leads to",
        )


def _can_begin(node: Node, arriving: list[Link], inside: set[str], *, is_start: bool) -> bool:
    """Whether all that a node waits for can come from outside of a circle."""
    outside = {link.input for link in arriving if link.source not in inside}
    waits_for = {link.input for link in arriving if link.input >= 0 and not node.inputs[link.input].optional}
    return is_start or (bool(outside) and waits_for <= outside)
