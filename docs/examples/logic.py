"""The logic components, one at a time, on a workbench."""

import asyncio

from sre_core.testing.bench import bench


async def main() -> None:
    answers = {"paid": True, "shipped": 0, "note": "false"}
    async with bench() as b:
        print("AND", await b.run("LogicAND", inputs=answers))
        print("OR", await b.run("LogicOR", inputs=answers))
        print("XOR", await b.run("LogicXOR", inputs=answers))
        print("at least two", await b.run("LogicAtLeast", {"minSetInputs": "2"}, inputs=answers))
        print("at most four of three", await b.run("LogicAtMost", {"maxSetInputs": "4"}, inputs=answers))


asyncio.run(main())
