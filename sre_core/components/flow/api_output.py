"""APIOutput: what a workflow answers."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.node import OutputPort
from sre_core.components.template import as_text

__all__ = ["APIOutput", "APIOutputSettings"]


class APIOutputSettings(ComponentSettings):
    """The form of the answer."""

    format: Literal["full", "minimal", "raw"] = Field(
        "full",
        description="full: an object of the inputs, with the id and the name of the node around it; minimal: the object"
        " alone; raw: the inputs as one text.",
    )
    content_type: Literal["application/json", "text/plain", "text/html", "application/xml"] = Field(
        "application/json", description="The media type of the answer; with any but JSON it is given without envelope."
    )


class APIOutput(Component):
    """Collects its inputs into the answer of the workflow.

    `Output` is an object with the inputs that got a value, by their names; with the format `raw` it is one text, the
    inputs one after another in their order. The answer is `{id, name, result: {Output}}` with the formats `full` and
    `raw`, and `Output` alone, or the text of an error, with `minimal` or a content type other than JSON.
    """

    name = "APIOutput"
    settings_type = APIOutputSettings
    settings: APIOutputSettings
    outputs = (OutputPort(name="Output", default=True),)
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Nothing but the declared inputs: what else came with them is not for the answer."""
        declared = {port.name: inputs[port.name] for port in self.node.inputs if port.name in inputs}
        if self.settings.format == "raw":
            return {"Output": "".join("" if value is None else as_text(value) for value in declared.values())}
        return {"Output": declared}

    def present(self, outputs: Mapping[str, Any], envelope: Mapping[str, Any]) -> Any:
        """The answer in the form of the settings."""
        if self.settings.format == "minimal" or self.settings.content_type != "application/json":
            return outputs["_error"] if outputs.get("_error") else outputs.get("Output")
        return envelope
