"""Two agents of one team share its home; a third one does not."""

import asyncio

from sre_sdk import AccessDeniedError, Agent, Candidate, Runtime, Team


async def main() -> None:
    async with Runtime() as runtime:
        team = Team("writers", runtime=runtime)
        author, editor = team.agent("Author"), team.agent("Editor")
        stranger = Agent("Stranger", runtime=runtime)

        shared = Candidate.team("writers")
        await author.storage.of(shared).write("draft.txt", "Once upon a time")
        print("editor reads:", await editor.storage.of(shared).read_text("draft.txt"))
        print("team reads:", await team.storage.read_text("draft.txt"))
        try:
            await stranger.storage.of(shared).read_text("draft.txt")
        except AccessDeniedError as error:
            print(error.message)


asyncio.run(main())
