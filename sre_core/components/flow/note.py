"""Note: words on the canvas of an editor."""

from collections.abc import Mapping
from typing import Any

from sre_core.components.base import Component
from sre_core.components.context import ComponentContext

__all__ = ["Note"]


class Note(Component):
    """Says something to who reads the workflow, and does nothing."""

    name = "Note"
    aliases = ("Component",)
    open_inputs = True
    open_outputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Nothing."""
        return {}
