"""The functions, one at a time, on a workbench."""

import asyncio

from sre_core.testing.bench import bench


async def main() -> None:
    async with bench(secrets={"signing": "a shared secret"}) as b:
        print(await b.run("FHash", {"algorithm": "md5"}, inputs={"Data": "hello world"}))
        print(await b.run("FEncDec", {"encoding": "base64"}, inputs={"Data": "hello world"}))
        print(await b.run("FEncDec", {"action": "Decode", "encoding": "base64"}, inputs={"Data": "aGVsbG8gd29ybGQ="}))
        signing = {"key": "{{KEY(signing)}}", "hashType": "sha256", "dataTransform": "Stringify", "encoding": "base64"}
        print(await b.run("FSign", signing, inputs={"Data": {"amount": 12.5}}))
        person = {"name": "Ann", "age": 30, "address": {"city": "Rome", "street": "Via Appia"}}
        print(await b.run("JSONFilter", {"fields": "name, address, city"}, inputs={"Input": person}))


asyncio.run(main())
