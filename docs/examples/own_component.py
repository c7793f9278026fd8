"""A component of one's own, as a plugin offers it, in a workflow."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from sre_core.components import Component, ComponentContext, ComponentSettings, InputPort, OutputPort
from sre_core.errors import ComponentError
from sre_core.hookspecs import hookimpl
from sre_core.plugins import Plugins
from sre_sdk import Agent, Runtime
from sre_sdk import Component as Build


class RepeatSettings(ComponentSettings):
    """How often to repeat."""

    times: int = Field(2, ge=1, le=100, description="How often the text comes out.")


class Repeat(Component):
    """Repeats a text."""

    name = "Repeat"
    settings_type = RepeatSettings
    settings: RepeatSettings
    inputs = (InputPort(name="Text", type="Text"),)
    outputs = (OutputPort(name="Output", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Nothing comes out of an empty text: its link does not fire."""
        text = inputs.get("Text")
        if not isinstance(text, str):
            raise ComponentError("Repeat needs a text", hint="link one to the input Text")
        return {"Output": text * self.settings.times} if text else {}


class MyPlugin:
    """In a package of its own this is a module, which an entry point of the group `sre` names."""

    @hookimpl
    def register_components(self) -> Iterable[type[Component]]:
        """The components that this plugin offers."""
        return [Repeat]


async def main() -> None:
    async with Runtime(plugins=Plugins.load(extra={"mine": MyPlugin()})) as runtime:
        agent = Agent("Parrot", runtime=runtime)
        say = agent.endpoint("say", inputs={"text": str})
        repeat = Build.of(Repeat, times=3).connect(Text=say.out.body.text)
        Build.APIOutput(format="minimal").connect(said=repeat.out.Output)
        print(await agent.call("say", text="ha"))
        print(Repeat.settings_type.model_json_schema()["properties"]["times"])


asyncio.run(main())
