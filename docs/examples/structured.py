"""An answer as an object that pydantic has checked."""

import asyncio

from pydantic import BaseModel

from sre_sdk import Agent


class Trip(BaseModel):
    """A journey."""

    city: str
    days: int


async def main() -> None:
    agent = Agent("Planner")
    # The echo model answers with the first JSON object of the prompt; a real one makes its own.
    reply = await agent.prompt('Plan this: {"city": "Oslo", "days": 3}', output_type=Trip)
    print(type(reply.output).__name__, reply.output.city, reply.output.days)


asyncio.run(main())
