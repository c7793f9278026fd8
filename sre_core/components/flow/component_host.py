"""ComponentHost: a node that is a component of another type, named in its settings."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field, ValidationError

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.errors import ComponentError

__all__ = ["ComponentHost", "ComponentHostSettings"]


class ComponentHostSettings(ComponentSettings):
    """Which component; all other keys are that one's own settings."""

    component: str = Field(default="", alias="_component", description="the type of the component that runs")


class ComponentHost(Component):
    """Runs the component that `_component` names, with the node's settings, inputs and outputs.

    So a file can have a node of a type that only a plugin brings, and still show in an editor that does not know it.
    """

    name = "ComponentHost"
    settings_type = ComponentHostSettings
    settings: ComponentHostSettings
    open_inputs = True
    open_outputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """What the other component returns. Raises WorkflowError where there is none of that name."""
        name = self.settings.component
        if not name:
            raise ComponentError("it names no component", hint="give the type in the setting '_component'")
        hosted = context.host.component(name)
        if issubclass(hosted, ComponentHost):
            raise ComponentError(f"{name!r} cannot host itself", hint="name another component")
        return await self._made(hosted).run(inputs, context)

    def check(self) -> list[str]:
        """No component."""
        return [] if self.settings.component else ["it names no component in the setting '_component'"]

    def _made(self, hosted: type[Component]) -> Component:
        try:
            return hosted.of(replace(self.node, type=hosted.name))
        except ValidationError as error:
            # Without the values, which may be secrets.
            problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)]
            raise ComponentError(
                f"its settings do not fit a component of type {hosted.name!r}: {'; '.join(problems)}",
                hint="they lie in 'data' of the node, beside '_component'",
            ) from None
