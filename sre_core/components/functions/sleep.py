"""FSleep: a pause in a workflow."""

from collections.abc import Mapping
from typing import Any

import anyio
from pydantic import Field

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort, OutputPort

__all__ = ["FSleep", "FSleepSettings"]


class FSleepSettings(ComponentSettings):
    """How long."""

    delay: float = Field(default=1, ge=0, allow_inf_nan=False, description="how long to wait, in seconds")


class FSleep(Component):
    """Waits, then gives what came in as `Output`. Other nodes go on meanwhile."""

    name = "FSleep"
    settings_type = FSleepSettings
    settings: FSleepSettings
    inputs = (InputPort(name="Input"),)
    outputs = (OutputPort(name="Output", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """`Input`, later; without one, nothing."""
        await anyio.sleep(self.settings.delay)
        return {"Output": inputs["Input"]} if "Input" in inputs else {}
