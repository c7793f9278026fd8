"""A workflow step by step, with an output that is made up."""

import asyncio

from sre_sdk import Agent


async def main() -> None:
    async with Agent.load("greeter.smyth") as agent, agent.debug("greet", {"who": "Ada"}) as session:
        print("next:", [record.title for record in session.pending])
        await session.step()
        session.inject("WRITE", outputs={"Reply": "Hello from nowhere."})
        record = await session.step()
        if record is not None:
            print(record.title, dict(record.inputs), "->", record.outputs, "injected:", record.is_injected)
        print("data:", (await session.finish()).data)


asyncio.run(main())
