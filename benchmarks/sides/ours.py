"""The runtime: an agent, with the connector for servers that speak OpenAI's API."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from benchmarks.sides.worker import HISTORY, PROMPT, add, check, serve
from sre_core.config import load
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime
from sre_sdk import Agent, Skill, TextDelta
from sre_sdk.chat import Chat

__all__ = ["Ours"]


class Ours:
    """Agents in one runtime."""

    async def open(self, url: str) -> None:
        """Start a runtime whose default model is the stub."""
        self._stack = AsyncExitStack()
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        code = {"data": folder, "connectors": {"llm": {"default": {"use": "openai", "url": url}}}}
        plugins = Plugins.load(only=("openai",))
        runtime = await self._stack.enter_async_context(Runtime(load(Path(folder), {}, code).config, plugins=plugins))
        self._plain = Agent("plain", model="text", runtime=runtime)
        self._slow = Agent("slow", model="slow", runtime=runtime)
        self._stamp = Agent("stamp", model="stamp", runtime=runtime)
        self._skilled = Agent("skilled", model="skill", skills=[add_async], runtime=runtime)
        self._chat: Chat | None = None

    async def close(self) -> None:
        """Stop the runtime."""
        await self._stack.aclose()

    async def prompt(self) -> None:
        """One prompt."""
        check(await self._plain.prompt(PROMPT))

    async def skill(self) -> None:
        """One prompt with a skill call."""
        check(await self._skilled.prompt(PROMPT))

    async def slow(self) -> None:
        """One prompt to the slow model."""
        check(await self._slow.prompt(PROMPT))

    async def first_text(self) -> str:
        """Stream an answer."""
        first = ""
        async with self._stamp.prompt(PROMPT).stream() as events:
            async for event in events:
                if not first and isinstance(event, TextDelta):
                    first = f"{event.text} {time.monotonic_ns()}"
        return first

    async def remember(self) -> None:
        """Fork a chat that has HISTORY messages."""
        if self._chat is None:
            self._chat = self._plain.chat()
            for _ in range(HISTORY // 2):
                await self._chat.prompt(PROMPT)
        self._fork = await self._chat.fork()

    async def recall(self) -> None:
        """One prompt in that chat."""
        check(await self._fork.prompt(PROMPT))

    def idle(self, count: int) -> Sequence[object]:
        """Agents that share a skill."""
        shared = Skill.from_function(add)
        return [Agent(f"agent {number}", behavior="Be kind.", skills=[shared]) for number in range(count)]


async def add_async(a: int, b: int) -> int:
    """Add two numbers."""
    return add(a, b)


if __name__ == "__main__":
    serve(Ours())
