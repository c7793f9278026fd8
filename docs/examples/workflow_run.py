"""An agent from a file of SmythOS: its endpoint as a skill, with and without a model."""

import asyncio

from sre_sdk import Agent, Event, StepFinished


async def main() -> None:
    async with Agent.load("greeter.smyth") as agent:
        # A skill is called as it is, ...
        print("called:", await agent.call("greet", who="Ada"))

        # ... or by a model that was asked something.
        print("asked:", await agent.prompt('call greet {"who": "Grace"}'))

        # All that came of a run, and each of its steps.
        async def hear(event: Event) -> None:
            if isinstance(event, StepFinished):
                print(" ", event.step, event.title, dict(event.outputs))

        outcome = await agent.execute("greet", {"who": "Edsger"}, emit=hear)
        print("data:", outcome.data, "failures:", outcome.failures)


asyncio.run(main())
