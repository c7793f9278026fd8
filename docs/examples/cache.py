"""Values that are kept for a while."""

import asyncio

from sre_sdk import Agent


async def slow_answer() -> dict[str, int]:
    """Stands for something that takes long."""
    print("working")
    return {"answer": 42}


async def main() -> None:
    async with Agent("Counter") as agent:
        await agent.cache.set("greeting", "hello", ttl=60)
        print(await agent.cache.get("greeting"), await agent.cache.get("other", "nothing"))
        for _ in range(2):
            print(await agent.cache.memoize("answer", slow_answer, ttl=60))
        await agent.cache.increment("visits")
        print(await agent.cache.increment("visits", by=2))


asyncio.run(main())
