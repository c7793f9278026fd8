"""Checks what a ComponentHost runs: whether there is such a component, and whether the settings are right for it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from sre_core.components.base import Component
from sre_core.components.flow.component_host import ComponentHost
from sre_core.components.node import Node
from sre_core.errors import SREError
from sre_core.workflows.check_settings import settings_problems
from sre_core.workflows.check_spelling import spelling_problems
from sre_core.workflows.problem import Place, Problem

__all__ = ["host_problems"]

_KEY = "_component"


def host_problems(
    node: Node, place: Place, cls: type[Component], find_component: Callable[[str], type[Component]]
) -> Iterator[Problem]:
    """What is wrong with the component that a node hosts; nothing for a node that hosts none.

    `find_component` gives the type of a name, or raises WorkflowError.
    """
    name = node.data.get(_KEY)
    if not issubclass(cls, ComponentHost) or not isinstance(name, str) or not name:
        return
    here = place.at("data", _KEY)
    try:
        hosted = find_component(name)
    except SREError as error:
        yield here.error(error.message, hint=error.hint or "")
        return
    except ImportError as error:
        yield here.error(f"the component {name!r} cannot be imported: {error}")
        return
    if issubclass(hosted, ComponentHost):
        yield here.error(f"{name!r} cannot host itself", hint="name another component")
        return
    as_hosted = replace(node, type=hosted.name)
    yield from settings_problems(as_hosted, place, hosted)
    yield from spelling_problems(as_hosted, place, hosted)
