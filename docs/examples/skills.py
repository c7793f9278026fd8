"""What a model sees of a skill, and what becomes of wrong arguments."""

import asyncio
import json
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sre_sdk import Agent, SkillError

agent = Agent("Travel")


class Traveller(BaseModel):
    """Who travels."""

    name: str
    age: int = 30


@agent.skill(timeout=5)
def book(
    city: Annotated[str, Field(max_length=30)],
    traveller: Traveller,
    seat: Literal["window", "aisle"] = "aisle",
) -> str:
    """Book a journey.

    Args:
        city: Where it goes.
        traveller: Who goes there.
        seat: Where to sit.
    """
    return f"{traveller.name} ({traveller.age}) goes to {city}, {seat} seat"


async def main() -> None:
    schema = agent.skills["book"].parameters
    print(json.dumps(schema["properties"]["seat"]), schema["required"])

    print(await agent.call("book", city="Oslo", traveller={"name": "Ada"}))
    try:
        await agent.call("book", city="Oslo", traveller={"name": "Ada"}, seat="roof")
    except SkillError as error:
        print(error.message)

    # A model gets the same text as the result of its call, and may call again.
    reply = await agent.prompt('call book {"city": "Oslo"}')
    print("model reads:", reply.messages[2].text)


asyncio.run(main())
