"""The data source components: index, look up, replace and clean."""

import asyncio

from sre_core.testing.bench import bench


async def main() -> None:
    async with bench() as b:

        async def ask(question: str) -> object:
            data = {"namespace": "menu", "topK": 1}
            return (await b.run("DataSourceLookup", data, inputs={"Query": question}))["Results"]

        page = {"namespace": "menu", "id": "{{Day}}", "name": "Menu of {{Day}}"}
        first = "data:text/html,<h1>Monday</h1><p>Soup with bread.</p>"
        print(await b.run("DataSourceIndexer", page, inputs={"Source": first, "Day": "monday"}))
        print(await ask("which soup is there"))
        print(await b.run("DataSourceIndexer", page, inputs={"Source": "Monday: fish soup.", "Day": "monday"}))
        print(await ask("which soup is there"))
        print(await b.run("DataSourceCleaner", {"namespaceId": "menu", "id": "monday"}))
        print(await ask("which soup is there"))


asyncio.run(main())
