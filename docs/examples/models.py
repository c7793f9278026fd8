"""A model of one's own in the catalogue: an alias, a parameter, and prices."""

import asyncio
from pathlib import Path

from sre_core.config import load
from sre_sdk import Agent, Model, NotFoundError, Runtime

PARROT = {
    "connector": "echo",
    "model": "echo",
    "aliases": ["fast"],
    "params": {"max_tokens": 4},
    "input_price": 0.25,
    "output_price": 2.0,
}


async def main() -> None:
    # The same as a table [models."acme/parrot"] in sre.toml.
    config = load(Path(), code={"models": {"acme/parrot": PARROT}}).config
    async with Runtime(config) as runtime:
        agent = Agent("Clerk", model="fast", runtime=runtime)
        reply = await agent.prompt("How much is the fish today?")
        print(reply, "|", reply.finish_reason, "|", f"${reply.cost:.7f}")
        reply = await agent.prompt("How much is the fish today?", model=Model("fast", max_tokens=6))
        print(reply)

        for name in ("fast", "acme/parrot", "acme/other", "echo", "other"):
            print(f"{name}: {runtime.resolve_model(name)}")
        try:
            runtime.catalogue.get("acme/parot")
        except NotFoundError as error:
            print(error.message)


asyncio.run(main())
