"""A conversation that the next process goes on with."""

import asyncio

from sre_sdk import Agent


async def first_process() -> None:
    chat = Agent("Helper").chat("work")
    await chat.prompt("My name is Ada.")


async def second_process() -> None:
    agent = Agent("Helper")
    chat = agent.chat("work")
    await chat.prompt("What is my name?")
    for message in await chat.messages():
        print(f"{message.role}: {message.text}")
    print("chats:", await agent.chats())

    other = await chat.fork("idea", at=2)
    print("forked after", len(await other.messages()), "messages")
    await chat.clear()
    await other.delete()
    print("left:", await agent.chats(), len(await chat.messages()))


asyncio.run(first_process())
asyncio.run(second_process())
