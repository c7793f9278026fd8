"""Who may read a file, before and after its owner grants it."""

import asyncio

from sre_sdk import Access, AccessDeniedError, Agent, Candidate, Runtime


async def main() -> None:
    async with Runtime() as runtime:
        owner, reader = Agent("Owner", runtime=runtime), Agent("Reader", runtime=runtime)
        await owner.storage.write("report.txt", "All is well.")
        # The same storage, still as the reader, with paths in the owner's home.
        theirs = reader.storage.of(owner.candidate)
        try:
            await theirs.read_text("report.txt")
        except AccessDeniedError as error:
            print("before:", error.message)

        await owner.storage.grant("report.txt", reader.candidate, Access.READ)
        print("after:", await theirs.read_text("report.txt"))
        print("may it write?", await theirs.allowed("report.txt", Access.WRITE))

        await owner.storage.revoke("report.txt", reader.candidate)
        print("revoked:", await theirs.allowed("report.txt", Access.READ))
        await owner.storage.grant("report.txt", Candidate.public(), Access.READ)
        print("public:", await theirs.allowed("report.txt", Access.READ))


asyncio.run(main())
