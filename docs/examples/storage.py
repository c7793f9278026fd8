"""Objects in an agent's home."""

import asyncio
from contextlib import aclosing

from sre_core.connectors import NEW
from sre_sdk import Agent, ConflictError


async def main() -> None:
    async with Agent("Keeper") as agent:
        info = await agent.storage.write("notes/a.txt", "first", metadata={"topic": "test"})
        print(info.key, info.size, info.content_type, dict(info.metadata))
        await agent.storage.write("notes/b.txt", b"second")
        async with aclosing(agent.storage.list("notes")) as found:
            print([item.key async for item in found])
        try:
            await agent.storage.write("notes/a.txt", "again", if_version=NEW)
        except ConflictError as error:
            print(error.message)
        await agent.storage.delete("notes/a.txt")
        print(await agent.storage.exists("notes/a.txt"))


asyncio.run(main())
