"""A peer: agno, with its own connector for servers of this kind. Runs in the environment of the peers."""

import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from benchmarks.sides.worker import HISTORY, PROMPT, REPLY, add, check, serve

__all__ = ["Agno"]

# Not installed where these files are type-checked.
_Agent: Any = import_module("agno.agent").Agent
_Model: Any = import_module("agno.models.openai").OpenAIChat
_Message: Any = import_module("agno.models.message").Message


class Agno:
    """Agents with telemetry off and no database."""

    async def open(self, url: str) -> None:
        """Make the agents."""
        self._url = url
        self._plain = self._agent("text")
        self._slow = self._agent("slow")
        self._stamp = self._agent("stamp")
        self._skilled = self._agent("skill", tools=[add_async])

    async def close(self) -> None:
        """Nothing to do."""

    async def prompt(self) -> None:
        """One run."""
        check((await self._plain.arun(PROMPT)).content)

    async def skill(self) -> None:
        """One run with a tool call."""
        check((await self._skilled.arun(PROMPT)).content)

    async def slow(self) -> None:
        """One run with the slow model."""
        check((await self._slow.arun(PROMPT)).content)

    async def first_text(self) -> str:
        """Stream an answer."""
        first = ""
        async for event in self._stamp.arun(PROMPT, stream=True):
            if not first and getattr(event, "content", None):
                first = f"{event.content} {time.monotonic_ns()}"
        return first

    async def remember(self) -> None:
        """Messages given as input, which spares agno its database."""
        said = (("user", PROMPT), ("assistant", REPLY))
        self._messages = [_Message(role=role, content=text) for _ in range(HISTORY // 2) for role, text in said]

    async def recall(self) -> None:
        """One run on all of them."""
        self._messages.append(_Message(role="user", content=PROMPT))
        check((await self._plain.arun(self._messages)).content)
        self._messages.append(_Message(role="assistant", content=REPLY))

    def idle(self, count: int) -> Sequence[object]:
        """Agents that share a model and a tool."""
        model = _Model(id="text", base_url=self._url, api_key="none")
        return [
            _Agent(name=f"agent {number}", instructions="Be kind.", model=model, tools=[add], telemetry=False)
            for number in range(count)
        ]

    def _agent(self, model: str, **more: Any) -> Any:
        return _Agent(name=model, model=_Model(id=model, base_url=self._url, api_key="none"), telemetry=False, **more)


async def add_async(a: int, b: int) -> int:
    """Add two numbers."""
    return add(a, b)


if __name__ == "__main__":
    serve(Agno())
