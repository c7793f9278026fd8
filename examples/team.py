"""One agent writes into the home of its team, another one of the team reads it, a stranger may not."""

import asyncio
from pathlib import Path

from sre_core.config import load
from sre_sdk import AccessDeniedError, Agent, Limits, Runtime, Team

SHORT = Limits(output_tokens=40)


async def main() -> None:
    """Two members, and one who is none."""
    async with Runtime(load(Path(__file__).parent).config) as runtime:
        team = Team("writers", runtime=runtime)
        author, critic = team.agent("Author", limits=SHORT), team.agent("Critic", limits=SHORT)
        stranger = Agent("Stranger", runtime=runtime)

        draft = await author.prompt("Write one sentence about the sea.")
        await author.storage.of(team.candidate).write("draft.txt", draft)
        print("author:", draft)

        found = await critic.storage.of(team.candidate).read_text("draft.txt")
        print("critic:", await critic.prompt(f"Write a short title for this text: {found}"))

        try:
            await stranger.storage.of(team.candidate).read_text("draft.txt")
        except AccessDeniedError as error:
            print("guard: ", error.message)


if __name__ == "__main__":
    asyncio.run(main())
