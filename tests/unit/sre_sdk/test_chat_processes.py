"""Two processes and one chat."""

import subprocess
import sys

from sre_sdk import Agent

TALK = """
import asyncio, sys
from sre_sdk import Agent

async def main(name, count):
    async with Agent("a") as agent:
        chat = agent.chat("c")
        for number in range(count):
            await chat.prompt(f"{name} {number}")

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def test_another_process_resumes_a_chat(echo_project):
    subprocess.run([sys.executable, "-c", TALK, "first", "1"], check=True)
    with Agent("a").sync as agent:
        chat = agent.chat("c")
        chat.prompt("second")
        said = [message.text for message in chat.messages()]
    assert said == ["first 0", "first 0", "second", "second"]


def test_two_processes_at_once_lose_no_turn(echo_project):
    count = 25
    names = ("left", "right")
    running = [subprocess.Popen([sys.executable, "-c", TALK, name, str(count)]) for name in names]
    assert [process.wait(timeout=300) for process in running] == [0, 0]
    messages = Agent("a").sync.chat("c").messages()
    prompts, answers = messages[::2], messages[1::2]
    assert [message.text for message in prompts] == [message.text for message in answers]
    for name in names:
        said = [message.text for message in prompts if message.text.startswith(name)]
        assert said == [f"{name} {number}" for number in range(count)]
