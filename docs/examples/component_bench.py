"""A component on the workbench: real handles around it, secrets, and a model that echoes."""

import asyncio
from collections.abc import Mapping
from typing import Any

from sre_core.components import Component, ComponentContext, InputPort, OutputPort
from sre_core.testing.bench import bench


class Greet(Component):
    """Greets with a word that is a secret of the agent."""

    name = "Greet"
    inputs = (InputPort(name="Name", type="Text"),)
    outputs = (OutputPort(name="Greeting", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The word first."""
        word = (await context.vault.get("word")).get_secret_value()
        return {"Greeting": f"{word}, {inputs['Name']}!"}


async def main() -> None:
    async with bench(secrets={"word": "Ahoy"}) as b:
        print(await b.run(Greet, inputs={"Name": "Ada"}))
        print(await b.run("PromptGenerator", {"prompt": "Say {{What}}"}, inputs={"What": "hello"}))


asyncio.run(main())
