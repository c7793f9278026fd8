"""Checks the defaults of inputs: whether their type can take them, and what the placeholders in them name."""

from collections.abc import Iterator

from sre_core.components.node import InputPort, Node
from sre_core.components.values import convert
from sre_core.errors import ComponentError
from sre_core.workflows.check_words import INERT, template_problems, texts
from sre_core.workflows.graph import ENDPOINT, Workflow
from sre_core.workflows.problem import Place, Problem

__all__ = ["default_problems"]


def default_problems(workflow: Workflow, node: Node, place: Place) -> Iterator[Problem]:
    """Defaults that can never be, and placeholders in them that name nothing."""
    if node.type in INERT:
        return
    for position, port in enumerate(node.inputs):
        here = place.at("inputs", position, "defaultVal")
        templates = [(keys, text) for keys, text in texts(port.default) if "{{" in text]
        for keys, text in templates:
            yield from _template_problems(text, workflow, node, here.at(*keys))
        if not templates:
            yield from _type_problems(port, here)


def _template_problems(text: str, workflow: Workflow, node: Node, place: Place) -> Iterator[Problem]:
    """Only an endpoint knows its other inputs when it fills in a default."""
    variables = list(workflow.variables)
    if node.type == ENDPOINT:
        yield from template_problems(text, [*(port.name for port in node.inputs), *variables], place)
    else:
        yield from template_problems(
            text, variables, place, lacking="no variable of the agent, and a default cannot name an input"
        )


def _type_problems(port: InputPort, place: Place) -> Iterator[Problem]:
    try:
        convert(port.default, port)
    except ComponentError as error:
        yield place.error(error.message, hint=error.hint or "")
