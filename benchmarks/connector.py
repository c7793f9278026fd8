"""The least connector that speaks chat completions over aiohttp. For these benchmarks only.

It knows no key, no error mapping and no option; the connector for real use comes as a plugin.
"""

import json
import weakref
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp

from sre_core.connectors.base import Connector, Settings
from sre_core.connectors.llm import CallDelta, LLMChunk, LLMConnector, LLMRequest, ModelInfo
from sre_core.hookspecs import hookimpl
from sre_core.messages import FinishReason, Message, MessageRole, SkillSpec, Usage

__all__ = ["BenchLLM", "BenchPlugin", "BenchSettings"]

_FINISH = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH, "tool_calls": FinishReason.SKILL_CALLS}


class BenchSettings(Settings):
    """Where the server is."""

    url: str


class BenchLLM(LLMConnector):
    """Streams chat completions. A message is written as JSON once, however often it is sent."""

    name = "bench"
    settings_type = BenchSettings
    capabilities = frozenset({"tools"})

    def __init__(self, settings: BenchSettings) -> None:
        super().__init__(settings)
        self._url = f"{settings.url}/chat/completions"
        # By identity: equality would compare all texts. A reference drops its own entry.
        self._wire: dict[int, tuple[weakref.ref[Message], bytes]] = {}
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the client."""
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def stop(self) -> None:
        """Close the client."""
        if self._session is not None:
            await self._session.close()

    async def models(self) -> list[ModelInfo]:
        """Those of the stub."""
        return [ModelInfo(id="text"), ModelInfo(id="skill"), ModelInfo(id="slow"), ModelInfo(id="stamp")]

    async def stream(self, request: LLMRequest) -> AsyncGenerator[LLMChunk]:
        """Post, and read the server's events as they come."""
        assert self._session is not None
        async with self._session.post(
            self._url, data=self._body(request), headers={"Content-Type": "application/json"}
        ) as response:
            response.raise_for_status()
            rest, finish, usage = b"", FinishReason.STOP, None
            async for raw in response.content.iter_any():
                *lines, rest = (rest + raw).split(b"\n\n")
                for line in lines:
                    if line == b"data: [DONE]":
                        yield LLMChunk(usage=usage, finish_reason=finish)
                        return
                    event = json.loads(line[6:])
                    if event.get("usage"):
                        usage = _usage(event["usage"])
                    for choice in event["choices"]:
                        for chunk in _chunks(choice["delta"]):
                            yield chunk
                        if choice["finish_reason"]:
                            finish = _FINISH[choice["finish_reason"]]

    def _body(self, request: LLMRequest) -> bytes:
        head: dict[str, Any] = {"model": request.model, "stream": True, "stream_options": {"include_usage": True}}
        if request.skills:
            head["tools"] = [_tool(spec) for spec in request.skills]
        wires = b",".join([self._message(message) for message in request.messages])
        return json.dumps(head).encode()[:-1] + b',"messages":[' + wires + b"]}"

    def _message(self, message: Message) -> bytes:
        key = id(message)
        known = self._wire.get(key)
        if known is not None and known[0]() is message:
            return known[1]
        wire = json.dumps(_wire_form(message)).encode()
        forget = self._wire.pop
        self._wire[key] = weakref.ref(message, lambda _: forget(key, None)), wire
        return wire


class BenchPlugin:
    """Registers the connector."""

    @hookimpl
    def register_connectors(self) -> list[type[Connector]]:
        """The one."""
        return [BenchLLM]


def _tool(spec: SkillSpec) -> dict[str, Any]:
    function = {"name": spec.name, "description": spec.description, "parameters": dict(spec.parameters)}
    return {"type": "function", "function": function}


def _wire_form(message: Message) -> dict[str, Any]:
    if message.role is MessageRole.SKILL:
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.text}
    data: dict[str, Any] = {"role": message.role.value, "content": message.text}
    if message.skill_calls:
        data["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.skill_calls
        ]
    return data


def _usage(data: dict[str, Any]) -> Usage:
    return Usage(input_tokens=data["prompt_tokens"], output_tokens=data["completion_tokens"])


def _chunks(delta: dict[str, Any]) -> list[LLMChunk]:
    chunks = [LLMChunk(text=delta["content"])] if delta.get("content") else []
    for call in delta.get("tool_calls", ()):
        function = call["function"]
        piece = CallDelta(
            index=call["index"],
            id=call.get("id", ""),
            name=function.get("name", ""),
            arguments=function.get("arguments", ""),
        )
        chunks.append(LLMChunk(call=piece))
    return chunks
