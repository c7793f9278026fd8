"""A server that speaks the Messages API, strictly, on loopback; its model repeats what it is told, as EchoLLM does."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sre_core.builtin.echo_llm import EchoLLM
from sre_core.connectors.base import Settings
from sre_core.connectors.llm import LLMChunk, LLMRequest
from sre_core.messages import FinishReason, Message, SkillCall, SkillSpec

from .fake_rules import MODELS, VERSIONS, RefusedError, Turn, bound, check, thinks  # noqa: TID252

KEY = "sk-ant-of-the-tests-0815"
_SECRET = b"of the fake server"
_STOP = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.SKILL_CALLS: "tool_use",
}


@dataclass
class FakeClaude:
    """Answers like the documented API. `bodies` are the requests that were accepted, `heads` their headers.

    A prompt that says "redact" has a part of the thought redacted; one that says "refuse" is refused.
    """

    piece: int | None = None
    """Send replies in pieces of so many bytes."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    """How many thoughts each accepted request lost, since they were not behind what they were made for."""
    url: str = ""
    _seen: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> "AsyncIterator[FakeClaude]":
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/v1/messages", self._messages)
        application.router.add_get("/v1/models", self._models)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        try:
            self._let_in(request)
        except RefusedError as refused:
            return _error(refused)
        listed = [
            {"type": "model", "id": name, "display_name": name, "lifecycle": "active", "max_input_tokens": 1_000_000}
            | {"max_tokens": limit, "created_at": "2026-01-01T00:00:00Z"}
            for name, (limit, *_) in MODELS.items()
        ]
        return web.json_response({"data": listed, "has_more": False, "first_id": None, "last_id": None})

    def _let_in(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            raise RefusedError("invalid bearer token", status=401, kind="authentication_error")
        if request.headers.get("anthropic-version") not in VERSIONS:
            raise RefusedError("anthropic-version: header is required")

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        try:
            self._let_in(request)
            body = json.loads(await request.read())
            betas = request.headers.get("anthropic-beta", "").split(",")
            turns = check(body, version=request.headers["anthropic-version"], betas=betas)
            turns, dropped = _hold(body, turns)
        except RefusedError as refused:
            self.refusals.append(refused.message)
            return _error(refused)
        self.bodies.append(body)
        self.heads.append({name.lower(): value for name, value in request.headers.items()})
        self.dropped.append(dropped)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        async for event in self._reply(body, turns):
            data = b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event, ensure_ascii=False).encode())
            size = self.piece or len(data)
            for start in range(0, len(data), size):
                await response.write(data[start : start + size])
                if self.piece:
                    await asyncio.sleep(0)
        await response.write_eof()
        return response

    async def _reply(self, body: dict[str, Any], turns: list[Turn]) -> AsyncIterator[dict[str, Any]]:
        prompt = _prompt(turns)
        usage = self._usage(body, turns)
        message = {"id": "msg_fake", "type": "message", "role": "assistant", "model": body["model"], "content": []}
        message |= {"stop_reason": None, "stop_sequence": None, "usage": {**usage, "output_tokens": 1}}
        yield {"type": "message_start", "message": message}
        writer = _Writer(body, turns)
        thought = 0
        if thinks(body, turns):
            for event in writer.think(f"They say: {prompt}"):
                yield event
            thought = len(prompt.split()) + 2
        yield {"type": "ping"}
        if "refuse" in prompt.split():
            details = {"type": "refusal", "category": "bio", "explanation": "This can do harm."}
            delta = {"stop_reason": "refusal", "stop_sequence": None, "stop_details": details}
            yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": thought}}
            yield {"type": "message_stop"}
            return
        said, finish = 0, FinishReason.STOP
        async with aclosing(EchoLLM(Settings()).stream(_echo_request(body, turns))) as chunks:
            async for chunk in chunks:
                for event in writer.say(chunk):
                    yield event
                if chunk.finish_reason is not None:
                    finish, said = chunk.finish_reason, chunk.usage.output_tokens if chunk.usage else 0
        for event in writer.close():
            yield event
        counts = {"output_tokens": said + thought, "output_tokens_details": {"thinking_tokens": thought}}
        delta = {"stop_reason": _STOP[finish], "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": counts}
        yield {"type": "message_stop"}

    def _usage(self, body: dict[str, Any], turns: list[Turn]) -> dict[str, int]:
        """A token is a word; the cache is of prefixes up to a mark."""
        system = body.get("system", [])
        system = [{"type": "text", "text": system}] if isinstance(system, str) and system else system or []
        parts = [*body.get("tools", []), *system, *(block for turn in turns for block in turn.blocks)]
        digest, total, cached, written = hashlib.sha256(), 0, 0, 0
        for part in parts:
            text = _plain(part)
            digest.update(text.encode())
            total += len(text.split())
            if "cache_control" in part:
                if digest.hexdigest() in self._seen:
                    cached = total
                self._seen.add(digest.hexdigest())
                written = total
        written -= cached
        return {
            "input_tokens": total - cached - written,
            "cache_read_input_tokens": cached,
            "cache_creation_input_tokens": written,
        }


class _Writer:
    """Makes the events of blocks, one block after the other."""

    def __init__(self, body: dict[str, Any], turns: list[Turn]) -> None:
        self._body = body
        self._prefix = _prefix(body, turns)
        self._index = -1
        self._open: str | int | None = None

    def think(self, text: str) -> Iterator[dict[str, Any]]:
        shown = "summarized" if self._body["model"].startswith(("claude-opus-4-5", "claude-opus-4-6")) else "omitted"
        hidden = self._body.get("thinking", {}).get("display", shown) == "omitted"
        words = [] if hidden else [f"{word} " for word in text.split()]
        yield self._start({"type": "thinking", "thinking": "", "signature": ""})
        for word in words:
            yield self._delta({"type": "thinking_delta", "thinking": word})
        block = {"type": "thinking", "thinking": "".join(words)}
        signature = _sign(block["thinking"], self._prefix)
        yield self._delta({"type": "signature_delta", "signature": signature})
        yield {"type": "content_block_stop", "index": self._index}
        self._prefix += _plain({**block, "signature": signature})
        if "redact" in text.split():
            data = _sign("redacted", self._prefix)
            yield self._start({"type": "redacted_thinking", "data": data})
            yield {"type": "content_block_stop", "index": self._index}
        self._open = None

    def say(self, chunk: LLMChunk) -> Iterator[dict[str, Any]]:
        if chunk.text:
            if self._open != "text":
                yield from self.close()
                yield self._start({"type": "text", "text": ""})
                self._open = "text"
            yield self._delta({"type": "text_delta", "text": chunk.text})
        if chunk.call is not None:
            if self._open != chunk.call.index:
                yield from self.close()
                # As the real ones, its ids are never the same twice.
                id_ = f"toolu_{hashlib.sha256((self._prefix + chunk.call.id).encode()).hexdigest()[:16]}"
                yield self._start({"type": "tool_use", "id": id_, "name": chunk.call.name, "input": {}})
                self._open = chunk.call.index
                yield self._delta({"type": "input_json_delta", "partial_json": ""})
            yield self._delta({"type": "input_json_delta", "partial_json": chunk.call.arguments})

    def close(self) -> Iterator[dict[str, Any]]:
        if self._open is not None:
            self._open = None
            yield {"type": "content_block_stop", "index": self._index}

    def _start(self, block: dict[str, Any]) -> dict[str, Any]:
        self._index += 1
        return {"type": "content_block_start", "index": self._index, "content_block": block}

    def _delta(self, delta: dict[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}


def _error(refused: RefusedError) -> web.Response:
    error = {"type": refused.kind, "message": refused.message}
    body = {"type": "error", "error": error, "request_id": "req_fake"}
    return web.json_response(body, status=refused.status, headers={"request-id": "req_fake"})


def _hold(body: dict[str, Any], turns: list[Turn]) -> tuple[list[Turn], int]:
    """The turns with the thoughts that hold: signed here, and standing behind what they were made for."""
    binding = body.get("thinking", {}).get("block_binding", {}).get("prefix_mismatch_behavior", "error")
    kept: list[Turn] = []
    broken, dropped = False, 0
    for number, turn in enumerate(turns):
        prefix = _prefix(body, kept)
        blocks: list[dict[str, Any]] = []
        for index, block in enumerate(turn.blocks):
            if block["type"] in {"thinking", "redacted_thinking"}:
                where = f"messages.{number}.content.{index}"
                proof = block["signature"] if block["type"] == "thinking" else block["data"]
                made, signed = proof.split(".")
                text = block.get("thinking", "redacted")
                if not hmac.compare_digest(signed, _mac(text, made)):
                    raise RefusedError(f"{where}: Invalid `signature` in `thinking` block")
                if bound(body["model"]) and (broken or made != _digest(prefix)):
                    if binding != "drop_block":
                        raise RefusedError(
                            f"{where}: Invalid `signature` in `thinking` block. The block is bound to a different "
                            "conversation. Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior`"
                        )
                    broken, dropped = True, dropped + 1
                    continue
            blocks.append(block)
            prefix += _plain(block)
        kept.append(Turn(role=turn.role, blocks=blocks))
    return kept, dropped


def _prefix(body: dict[str, Any], turns: list[Turn]) -> str:
    system = body.get("system", "")
    text = system if isinstance(system, str) else "".join(block["text"] for block in system)
    tools = "".join(_plain(tool) for tool in body.get("tools", []))
    return (
        tools
        + text
        + "".join(turn.role + "".join(map(_plain, turn.blocks)) for turn in turns)
        + ("assistant" if turns and turns[-1].role == "user" else "")
    )


def _plain(block: dict[str, Any]) -> str:
    return json.dumps({key: value for key, value in block.items() if key != "cache_control"}, sort_keys=True)


def _digest(prefix: str) -> str:
    return hashlib.sha256(prefix.encode()).hexdigest()


def _sign(text: str, prefix: str) -> str:
    return f"{_digest(prefix)}.{_mac(text, _digest(prefix))}"


def _mac(text: str, digest: str) -> str:
    return hmac.new(_SECRET, f"{text}|{digest}".encode(), "sha256").hexdigest()


def _prompt(turns: list[Turn]) -> str:
    texts = [_text(turn.blocks) for turn in turns if turn.role == "user" and _text(turn.blocks)]
    return texts[-1] if texts else ""


def _text(blocks: list[dict[str, Any]]) -> str:
    return "".join(block["text"] for block in blocks if block["type"] == "text")


def _echo_request(body: dict[str, Any], turns: list[Turn]) -> LLMRequest:
    names = {block["id"]: block["name"] for turn in turns for block in turn.blocks if block["type"] == "tool_use"}
    choice = {"auto": "auto", "any": "required", "none": "none"}[body.get("tool_choice", {"type": "auto"})["type"]]
    return LLMRequest(
        messages=tuple(message for turn in turns for message in _messages(turn, names)),
        skills=tuple(
            SkillSpec(name=tool["name"], description=tool.get("description", ""), parameters=tool["input_schema"])
            for tool in body.get("tools", [])
        ),
        skill_choice=choice,
        output_schema=body.get("output_config", {}).get("format", {}).get("schema"),
        max_tokens=body["max_tokens"],
        stop=tuple(body.get("stop_sequences", ())),
    )


def _messages(turn: Turn, names: dict[str, str]) -> Iterator[Message]:
    calls = []
    for block in turn.blocks:
        match block["type"]:
            case "tool_result":
                content = block["content"]
                text = content if isinstance(content, str) else _text(content)
                call = SkillCall(id=block["tool_use_id"], name=names[block["tool_use_id"]], arguments="{}")
                yield Message.result(call, text, is_error=block.get("is_error", False))
            case "tool_use":
                calls.append(SkillCall(id=block["id"], name=block["name"], arguments=json.dumps(block["input"])))
    text = _text(turn.blocks)
    seen = [block for block in turn.blocks if block["type"] in {"image", "document"}]
    if turn.role == "assistant":
        yield Message.assistant(text, skill_calls=tuple(calls))
    elif text or seen:
        yield Message.user(text or f"I got {len(seen)} files")
