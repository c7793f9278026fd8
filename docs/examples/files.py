"""Types, files and defaults, at the entry of a workflow."""

import asyncio

from sre_core.components.files import read_file
from sre_core.components.node import InputPort
from sre_core.testing.bench import bench


async def main() -> None:
    async with bench(variables={"REGION": "Europe"}) as b:
        ports = [
            InputPort(name="day", type="Date"),
            InputPort(name="tags", type="Array"),
            InputPort(name="options", type="Object", default='{limit: 10, region: "{{REGION}}"}'),
            InputPort(name="letter", type="Binary"),
        ]
        request = {"day": "01/20/2024", "tags": "red, green", "letter": "Dear {{REGION}}"}
        body = (await b.run("APIEndpoint", {"endpoint": "order"}, inputs=request, input_ports=ports))["body"]
        print(body["day"], body["tags"], body["options"])
        print(body["letter"]["mimetype"], body["letter"]["size"], body["letter"]["url"][:32])
        print((await read_file(body["letter"], b.context)).data)
        answer = {"format": "raw", "contentType": "text/plain"}
        print(await b.run("APIOutput", answer, inputs={"Title": "Order", "Tags": body["tags"]}))
        print(await b.run("FileStore", {"name": "orders/{{day}}.json"}, inputs={"Data": body["options"], "day": "20"}))


asyncio.run(main())
