"""Finds everything that is wrong with a workflow, before any of it runs."""

from collections.abc import Callable

from sre_core.components.base import Component
from sre_core.components.node import Node
from sre_core.errors import SREError
from sre_core.workflows.check_names import endpoint_problems, port_problems
from sre_core.workflows.check_ports import type_problems
from sre_core.workflows.check_settings import settings_problems
from sre_core.workflows.check_ways import way_problems
from sre_core.workflows.check_words import placeholder_problems
from sre_core.workflows.graph import Workflow
from sre_core.workflows.problem import Place, Problem
from sre_core.workflows.smyth_reader import agent_of, raw_components, survey

__all__ = ["Problem", "check", "check_text"]


def check(workflow: Workflow, find_component: Callable[[str], type[Component]]) -> list[Problem]:
    """All problems of a workflow, errors and warnings, in order of its nodes. Never raises for a bad workflow.

    `find_component` gives the type of a name, or raises WorkflowError.
    """
    places = _places(workflow)
    found: list[Problem] = []
    types: dict[str, type[Component]] = {}
    for id_, node in workflow.nodes.items():
        place = places[id_]
        looked_up = _look_up(node, place, find_component)
        if isinstance(looked_up, Problem):
            found.append(looked_up)
        else:
            types[id_] = looked_up
            found += settings_problems(node, place, looked_up)
        found += port_problems(node, place)
        found += placeholder_problems(workflow, node, place)
    named = list(endpoint_problems(workflow, places))
    # They say more of a name than its settings do.
    told = {problem.path for problem in named if problem.severity == "error"}
    found = [*(problem for problem in found if problem.path not in told), *named]
    found += type_problems(workflow, places, types)
    found += way_problems(workflow, places, types)
    order = {id_: position for position, id_ in enumerate(workflow.nodes)}
    return sorted(found, key=lambda problem: order.get(problem.node_id, -1))


def check_text(
    text: str | bytes, find_component: Callable[[str], type[Component]], *, path: str | None = None
) -> list[Problem]:
    """All problems of a `.smyth` file: those that keep it from being read, and those of what can be read of it."""
    reading = survey(text, path=path)
    more = check(reading.workflow, find_component) if reading.workflow is not None else []
    # What was wrong in the file may show in the workflow too.
    return list(dict.fromkeys([*reading.problems, *more]))


def _places(workflow: Workflow) -> dict[str, Place]:
    raws = raw_components(workflow)
    inside = agent_of(workflow.document)[1]
    return {
        id_: Place(
            inside.at("components", raws[id_][0] if id_ in raws else position).path,
            id_,
            node.title or node.label or node.type,
        )
        for position, (id_, node) in enumerate(workflow.nodes.items())
    }


def _look_up(node: Node, place: Place, find: Callable[[str], type[Component]]) -> type[Component] | Problem:
    place = place.at("name")
    if not node.type:
        return place.error("there is no type of component, which is kept under 'name'")
    try:
        return find(node.type)
    except SREError as error:
        return place.error(error.message, hint=error.hint or "")
    except ImportError as error:
        return place.error(f"the component {node.type!r} cannot be imported: {error}")
