"""Finds everything that is wrong with a workflow, before any of it runs."""

from collections.abc import Callable

from sre_core.components.base import Component
from sre_core.components.node import Node
from sre_core.errors import SREError
from sre_core.workflows.check_defaults import default_problems
from sre_core.workflows.check_host import host_problems
from sre_core.workflows.check_names import endpoint_problems, id_problems, name_problems, port_problems
from sre_core.workflows.check_ports import type_problems
from sre_core.workflows.check_settings import settings_problems
from sre_core.workflows.check_spelling import spelling_problems
from sre_core.workflows.check_variables import variable_problems
from sre_core.workflows.check_ways import way_problems
from sre_core.workflows.check_words import placeholder_problems
from sre_core.workflows.graph import Workflow
from sre_core.workflows.problem import Place, Problem
from sre_core.workflows.smyth_reader import agent_of, raw_components, survey

__all__ = ["Problem", "check", "check_text"]


def check(workflow: Workflow, find_component: Callable[[str], type[Component]]) -> list[Problem]:
    """All problems of a workflow, errors and warnings, in order of its nodes. Never raises for a bad workflow.

    Only its text shows that a key stands twice in an object of a file: see `check_text`.
    `find_component` gives the type of a name, or raises WorkflowError.
    """
    places = _places(workflow)
    found = list(id_problems(workflow))
    types: dict[str, type[Component]] = {}
    for id_, node in workflow.nodes.items():
        cls, problems = _look_at(node, places[id_], workflow, find_component)
        found += problems
        if cls is not None:
            types[id_] = cls
    found += endpoint_problems(workflow, places)
    found += variable_problems(workflow, agent_of(workflow.document)[1].at("variables"))
    found += type_problems(workflow, places, types)
    found += way_problems(workflow, places, types)
    order = {id_: position for position, id_ in enumerate(workflow.nodes)}
    return sorted(found, key=lambda problem: order.get(problem.node_id, -1))


def check_text(
    text: str | bytes, find_component: Callable[[str], type[Component]], *, path: str | None = None
) -> list[Problem]:
    """All problems of a `.smyth` file: those that keep it from being read, and those of what can be read of it."""
    reading = survey(text, path=path)
    workflow = reading.workflow
    if workflow is None:
        return list(reading.problems)
    more = [problem for place, node in reading.spare for problem in _look_at(node, place, workflow, find_component)[1]]
    more += check(workflow, find_component)
    # What is wrong in the file shows in what was made of it, too.
    told = {problem.path for problem in reading.errors}
    return [*reading.problems, *(problem for problem in more if not problem.is_within(told))]


def _look_at(
    node: Node, place: Place, workflow: Workflow, find: Callable[[str], type[Component]]
) -> tuple[type[Component] | None, list[Problem]]:
    """The type of a node where it is known, and all that is wrong with the node, whatever leads to it."""
    found = list(name_problems(node, place))
    # They say more of a name than its setting does.
    told = {problem.path for problem in found}
    cls = _look_up(node, place, find)
    if isinstance(cls, Problem):
        found.append(cls)
    else:
        found += (problem for problem in settings_problems(node, place, cls) if problem.path not in told)
        found += spelling_problems(node, place, cls)
        found += host_problems(node, place, cls, find)
    found += port_problems(node, place)
    found += placeholder_problems(workflow, node, place)
    found += default_problems(workflow, node, place)
    return (None if isinstance(cls, Problem) else cls), found


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
