"""A conversation that is kept: run it again, and it goes on."""

import asyncio
import sys
from pathlib import Path

from sre_core.config import load
from sre_sdk import Agent, Limits, Runtime

PROMPTS = ("Hello, my name is Ada.", "What is my name?")


async def main(prompts: list[str]) -> None:
    """Ask in the chat "diary"; with no prompt on the command line, two that show it."""
    async with Runtime(load(Path(__file__).parent).config) as runtime:
        agent = Agent("Companion", limits=Limits(output_tokens=40), runtime=runtime)
        chat = agent.chat("diary")
        print(f"The chat has {len(await chat.messages())} messages.")
        for prompt in prompts or PROMPTS:
            print(f"\nyou:   {prompt}\nmodel: {await chat.prompt(prompt)}")
        print(f"\nThe chat has {len(await chat.messages())} messages. Run this again to go on.")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
