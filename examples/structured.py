"""An answer that is an object: the model writes under its JSON schema, and pydantic checks it."""

import asyncio
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from sre_core.config import load
from sre_sdk import Agent, Runtime


class Purchase(BaseModel):
    """Something that was bought."""

    item: Annotated[str, Field(max_length=24)]
    euros: int


async def main() -> None:
    """Turn a sentence into a Purchase."""
    async with Runtime(load(Path(__file__).parent).config) as runtime:
        agent = Agent("Bookkeeper", runtime=runtime)
        reply = await agent.prompt("I bought a lamp for 30 euros.", output_type=Purchase)
        print(repr(reply.output))


if __name__ == "__main__":
    asyncio.run(main())
