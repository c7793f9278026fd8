"""An agent with one skill, which keeps notes in the agent's own storage."""

import asyncio

from sre_sdk import Agent, SkillContext

agent = Agent("Secretary", behavior="Keep the user's notes.")


@agent.skill
async def save_note(title: str, text: str, context: SkillContext) -> str:
    """Keep a note for later."""
    info = await context.storage.write(f"notes/{title}.txt", text)
    return f"kept {info.size} bytes"


async def main() -> None:
    async with agent:
        reply = await agent.prompt('call save_note {"title": "milk", "text": "Buy milk."}')
        print("reply:", reply)
        print("stored:", await agent.storage.read_text("notes/milk.txt"))


if __name__ == "__main__":
    asyncio.run(main())
