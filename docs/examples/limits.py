"""A run that stops where it was told to."""

import asyncio

from sre_sdk import Agent, LimitExceededError, Limits

agent = Agent("Busy", limits=Limits(skill_calls=1, seconds=30))


@agent.skill
def ring() -> str:
    """Ring the bell."""
    return "ding"


async def main() -> None:
    print(await agent.prompt("call ring"))
    try:
        await agent.prompt("call ring, and call ring once more")
    except LimitExceededError as error:
        print(error.code, "-", error.message)


asyncio.run(main())
