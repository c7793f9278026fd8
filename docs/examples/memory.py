"""The memory components: write, read and delete."""

import asyncio

from sre_core.components import Request
from sre_core.testing.bench import bench


async def main() -> None:
    async with bench(request=Request(session_id="s1")) as b:
        cart = {"memoryName": "shop", "key": "cart-{{User}}"}
        print(
            await b.run("MemoryWriteKeyVal", {**cart, "value": "{{Items}}"}, inputs={"User": "ann", "Items": ["tea"]})
        )
        print(await b.run("MemoryReadKeyVal", cart, inputs={"User": "ann"}))
        print(await b.run("MemoryDeleteKeyVal", cart, inputs={"User": "ann"}))
        print(await b.run("MemoryReadKeyVal", cart, inputs={"User": "ann"}))
        shared = {"memoryName": "shop", "scope": "ttl", "ttl": "600"}
        print(await b.run("MemoryWriteObject", shared, inputs={"Data": {"open": True, "city": "Rome"}}))
        print(await b.run("MemoryReadKeyVal", {"memoryName": "shop", "key": "open"}))


asyncio.run(main())
