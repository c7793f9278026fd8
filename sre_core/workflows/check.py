"""Finds everything that is wrong with a workflow, before any of it runs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from sre_core.components.base import Component, Flaw
from sre_core.components.node import Node
from sre_core.components.path import MISSING, look_up
from sre_core.errors import SREError
from sre_core.workflows.check_names import endpoint_problems, port_problems
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
            found += _settings_problems(node, place, looked_up)
        found += port_problems(node, place)
        found += placeholder_problems(workflow, node, place)
    known = {problem.path for problem in found}
    found += (problem for problem in endpoint_problems(workflow, places) if problem.path not in known)
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


def _settings_problems(node: Node, place: Place, cls: type[Component]) -> Iterator[Problem]:
    try:
        flaws: Iterable[str | Flaw] = list(cls.of(node).check())
    except ValidationError as error:
        for found in error.errors(include_url=False, include_input=False, include_context=False):
            keys = _keys(found["loc"], node.data)
            yield place.at("data", *keys).error(found["msg"].removeprefix("Value error, "))
        return
    except SREError as error:
        yield place.error(error.message, hint=error.hint or "")
        return
    except Exception as error:  # noqa: BLE001 -- the component is its author's code
        yield place.error(f"the component {node.type!r} cannot be made: {type(error).__name__}: {error}")
        return
    for flaw in flaws:
        yield _flaw(flaw, place)


def _flaw(flaw: str | Flaw, place: Place) -> Problem:
    if isinstance(flaw, str):
        return place.error(flaw)
    here = place.at("data", flaw.setting) if flaw.setting else place
    return here.error(flaw.message, hint=flaw.hint)


def _keys(location: tuple[str | int, ...], data: Mapping[str, Any]) -> list[str | int]:
    """Where in `data` an error of pydantic is; its first key may be of a setting that is missing."""
    keys = list(location[:1])
    value = data.get(str(location[0])) if location else None
    for key in location[1:]:
        inner = look_up(value, (str(key),))
        # Of several types that a value may have, pydantic puts the name of each in between.
        if inner is not MISSING:
            keys.append(key)
            value = inner
    return keys
