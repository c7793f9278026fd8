"""Every error has a code, a message and a hint."""

import asyncio

from sre_sdk import Candidate, NotFoundError, Runtime, SREError


async def main() -> None:
    async with Runtime() as runtime:
        storage = runtime.storage(Candidate.user("ada"))
        try:
            await storage.read("missing.txt")
        except NotFoundError as error:
            print(error.code, "|", error.message, "|", error.hint)
        try:
            runtime.cache(Candidate.user("ada"), "sqlit")
        except SREError as error:
            print(error.code, "|", error.message, "|", error.hint)


asyncio.run(main())
