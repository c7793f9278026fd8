"""The raw limit: aiohttp and json, with the same exchange on the wire, and no agent at all."""

import json
import time
from collections.abc import Sequence
from typing import Any

import aiohttp

from benchmarks.sides.worker import HISTORY, PROMPT, REPLY, add, check, serve

__all__ = ["Bare"]

_TOOL = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add two numbers.",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}


class Bare:
    """Posts and reads the events of the answer."""

    async def open(self, url: str) -> None:
        """Open a session."""
        self._url = f"{url}/chat/completions"
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def close(self) -> None:
        """Close it."""
        await self._session.close()

    async def prompt(self) -> None:
        """One exchange."""
        check((await self._exchange("text", [_user()]))[0])

    async def skill(self) -> None:
        """Two exchanges, with the skill between them."""
        messages: list[dict[str, Any]] = [_user()]
        _, calls = await self._exchange("skill", messages, tools=[_TOOL])
        messages.append({"role": "assistant", "content": "", "tool_calls": calls})
        for call in calls:
            result = add(**json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": str(result)})
        check((await self._exchange("skill", messages, tools=[_TOOL]))[0])

    async def slow(self) -> None:
        """One exchange with the slow model."""
        check((await self._exchange("slow", [_user()]))[0])

    async def first_text(self) -> str:
        """Note when the first piece came."""
        self._seen = ""
        await self._exchange("stamp", [_user()], watch=True)
        return self._seen

    async def remember(self) -> None:
        """A list of messages."""
        self._messages = [_user(), {"role": "assistant", "content": REPLY}] * (HISTORY // 2)

    async def recall(self) -> None:
        """One exchange that sends all of them."""
        self._messages.append(_user())
        text, _ = await self._exchange("text", self._messages)
        check(text)
        self._messages.append({"role": "assistant", "content": text})

    def idle(self, count: int) -> Sequence[object]:
        """What any agent must hold: a name, a text, a function."""
        return [{"name": f"agent {number}", "behavior": "Be kind.", "skills": [add]} for number in range(count)]

    async def _exchange(
        self, model: str, messages: list[dict[str, Any]], *, watch: bool = False, **more: Any
    ) -> tuple[str, list[dict[str, Any]]]:
        body = {
            "model": model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            **more,
        }
        texts: list[str] = []
        calls: list[dict[str, Any]] = []
        rest = b""
        data = json.dumps(body).encode()
        async with self._session.post(self._url, data=data, headers={"Content-Type": "application/json"}) as response:
            async for raw in response.content.iter_any():
                *lines, rest = (rest + raw).split(b"\n\n")
                for line in lines:
                    if line == b"data: [DONE]":
                        return "".join(texts), calls
                    for choice in json.loads(line[6:])["choices"]:
                        delta = choice["delta"]
                        calls += delta.get("tool_calls", ())
                        if delta.get("content"):
                            texts.append(delta["content"])
                            if watch and not self._seen:
                                self._seen = f"{delta['content']} {time.monotonic_ns()}"
        raise AssertionError("the answer was cut")


def _user() -> dict[str, Any]:
    return {"role": "user", "content": PROMPT}


if __name__ == "__main__":
    serve(Bare())
