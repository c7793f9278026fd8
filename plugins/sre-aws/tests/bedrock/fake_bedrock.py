"""A server that speaks Bedrock's Converse API on loopback; its models repeat what they are told, as EchoLLM does."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from pydantic import SecretStr

from sre_aws.bedrock.connector import BedrockLLM
from sre_aws.bedrock.settings import BedrockSettings
from sre_core.builtin.echo_llm import EchoLLM
from sre_core.connectors.base import Settings
from sre_core.connectors.llm import LLMChunk, LLMRequest
from sre_core.messages import FinishReason, Message, SkillCall, SkillSpec

from .bedrock_rules import (  # noqa: TID252 -- the folder of tests is no package
    BOUND,
    CLAUDE,
    NEW_CLAUDE,
    NOVA_2,
    OLD_CLAUDE,
    RefusedError,
    check,
    need,
    thinks,
)
from .event_stream import event  # noqa: TID252

ACCESS_KEY = "AKIAFAKEBEDROCK0815"
SECRET_KEY = "secret-of-the-fake-bedrock"
TITAN = "amazon.titan-embed-text-v2:0"
COHERE = "cohere.embed-multilingual-v3"
_STOP = {FinishReason.STOP: "end_turn", FinishReason.LENGTH: "max_tokens", FinishReason.SKILL_CALLS: "tool_use"}


def at(url: str, **settings: Any) -> BedrockLLM:
    """A connector to the server at `url`, not started."""
    keys = {"access_key_id": SecretStr(ACCESS_KEY), "secret_access_key": SecretStr(SECRET_KEY)}
    return BedrockLLM(BedrockSettings(**keys | {"url": url, "model": CLAUDE} | settings))


@dataclass
class FakeBedrock:
    """`bodies` are the requests that were accepted, with their `modelId`. "forbidden" in a prompt trips a guardrail."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    may_list: bool = True
    url: str = ""
    _seen: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> "AsyncIterator[FakeBedrock]":
        application = web.Application(client_max_size=64 << 20, middlewares=[self._guarded])
        application.router.add_post("/model/{model:.+}/converse-stream", self._converse)
        application.router.add_post("/model/{model:.+}/invoke", self._invoke)
        application.router.add_get("/foundation-models", self._models)
        application.router.add_get("/inference-profiles", self._profiles)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=512).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            signed = request.headers.get("Authorization", "")
            if f"Credential={ACCESS_KEY}/" not in signed or "/bedrock/aws4_request" not in signed:
                raise RefusedError("The security token is invalid.", status=403, kind="UnrecognizedClientException")
            return await handler(request)
        except RefusedError as refused:
            self.refusals.append(refused.message)
            headers = {"x-amzn-ErrorType": f"{refused.kind}:http://internal.amazon.com/"}
            return web.json_response({"message": refused.message}, status=refused.status, headers=headers)

    async def _models(self, request: web.Request) -> web.Response:
        if not self.may_list:
            raise RefusedError("not authorized to list", status=403, kind="AccessDeniedException")
        listed = [
            {"modelId": name, "responseStreamingSupported": True, "inferenceTypesSupported": ["ON_DEMAND"]}
            for name in (OLD_CLAUDE, "meta.llama3-8b-instruct-v1:0")
        ]
        listed.append({"modelId": "only.by-profile", "responseStreamingSupported": True, "inferenceTypesSupported": []})
        return web.json_response({"modelSummaries": listed})

    async def _profiles(self, request: web.Request) -> web.Response:
        page = {"nextToken": "more"} if "nextToken" not in request.query else {}
        names = [CLAUDE, NOVA_2] if page else [NEW_CLAUDE]
        return web.json_response(
            {"inferenceProfileSummaries": [{"inferenceProfileId": name} for name in names], **page}
        )

    async def _invoke(self, request: web.Request) -> web.Response:
        model, body = unquote(request.match_info["model"]), json.loads(await request.read())
        texts = body.get("texts") or [body.get("inputText")]
        vectors = await EchoLLM(Settings()).embed(texts)
        self.bodies.append({"modelId": model, **body})
        if model == TITAN:
            need(body.keys() <= {"inputText", "dimensions", "normalize"}, "extraneous key is not permitted")
            return web.json_response({"embedding": vectors[0][: body.get("dimensions")], "inputTextTokenCount": 3})
        if model == COHERE:
            need(len(texts) <= 96, "too many texts")
            need(body["input_type"] == "search_document", "input_type is required")
            return web.json_response({"embeddings": {"float": vectors}, "id": "1", "texts": texts})
        raise RefusedError("The provided model identifier is invalid.")

    async def _converse(self, request: web.Request) -> web.StreamResponse:
        body = {"modelId": unquote(request.match_info["model"]), **json.loads(await request.read())}
        check(body)
        messages, dropped = _hold(body)
        self.bodies.append(body)
        self.dropped.append(dropped)
        response = web.StreamResponse(headers={"Content-Type": "application/vnd.amazon.eventstream"})
        await response.prepare(request)
        async for kind, data in self._reply(body, messages):
            await response.write(event(kind, data))
        await response.write_eof()
        return response

    async def _reply(
        self, body: dict[str, Any], messages: list[dict[str, Any]]
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        prompt = _prompt(messages)
        yield "messageStart", {"role": "assistant"}
        writer = _Writer(body, messages)
        thought = 0
        if thinks(body):
            for one in writer.think(f"They say: {prompt}"):
                yield one
            thought = len(prompt.split())
        said, reason = 0, "guardrail_intervened"
        if "forbidden" in prompt.split():
            for one in writer.say(LLMChunk(text="Sorry, this is not allowed.")):
                yield one
        else:
            async with aclosing(EchoLLM(Settings()).stream(_echo_request(body, messages))) as chunks:
                async for chunk in chunks:
                    for one in writer.say(chunk):
                        yield one
                    if chunk.finish_reason is not None and chunk.usage is not None:
                        reason, said = _STOP[chunk.finish_reason], chunk.usage.output_tokens
        for one in writer.close():
            yield one
        yield "messageStop", {"stopReason": reason}
        usage = self._usage(body) | {"outputTokens": said + thought}
        yield "metadata", {"usage": usage | {"totalTokens": 0}, "metrics": {"latencyMs": 1}}

    def _usage(self, body: dict[str, Any]) -> dict[str, int]:
        """A token is a word; the cache is of prefixes up to a cache point."""
        parts = [*body.get("toolConfig", {}).get("tools", []), *body.get("system", [])]
        parts += [block for message in body["messages"] for block in message["content"]]
        digest, total, cached, written = hashlib.sha256(), 0, 0, 0
        for part in parts:
            if "cachePoint" in part:
                if digest.hexdigest() in self._seen:
                    cached = total
                self._seen.add(digest.hexdigest())
                written = total
                continue
            digest.update(_plain(part).encode())
            total += len(_plain(part).split())
        counts = {"inputTokens": total - max(written, cached)}
        return counts | {"cacheReadInputTokens": cached, "cacheWriteInputTokens": max(written - cached, 0)}


class _Writer:
    """Makes the events of blocks, one block after the other."""

    def __init__(self, body: dict[str, Any], messages: list[dict[str, Any]]) -> None:
        self._body = body
        self._prefix = _prefix(body, messages)
        self._index = -1
        self._open: str | int | None = None

    def think(self, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
        config = self._body.get("additionalModelRequestFields", {}).get("thinking", {})
        shown = config.get("display", "summarized" if self._body["modelId"] == OLD_CLAUDE else "omitted")
        is_nova = self._body["modelId"] == NOVA_2
        words = [f"{word} " for word in text.split()] if is_nova or shown == "summarized" else []
        self._index += 1
        for word in words:
            yield self._delta({"reasoningContent": {"text": word}})
        if not is_nova:
            signature = _sign("".join(words), self._prefix)
            yield self._delta({"reasoningContent": {"signature": signature}})
            self._prefix += _plain(_thought("".join(words), signature))
        yield "contentBlockStop", {"contentBlockIndex": self._index}
        if "redact" in text.split() and not is_nova:
            self._index += 1
            data = base64.b64encode(_sign("redacted", self._prefix).encode()).decode()
            yield self._delta({"reasoningContent": {"redactedContent": data}})
            yield "contentBlockStop", {"contentBlockIndex": self._index}

    def say(self, chunk: LLMChunk) -> Iterator[tuple[str, dict[str, Any]]]:
        if chunk.text:
            if self._open != "text":
                yield from self.close()
                self._index, self._open = self._index + 1, "text"
            yield self._delta({"text": chunk.text})
        if chunk.call is not None:
            if self._open != chunk.call.index:
                yield from self.close()
                self._index, self._open = self._index + 1, chunk.call.index
                id_ = f"tooluse_{hashlib.sha256((self._prefix + chunk.call.id).encode()).hexdigest()[:16]}"
                start = {"toolUse": {"toolUseId": id_, "name": chunk.call.name}}
                yield "contentBlockStart", {"contentBlockIndex": self._index, "start": start}
            yield self._delta({"toolUse": {"input": chunk.call.arguments}})

    def close(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if self._open is not None:
            self._open = None
            yield "contentBlockStop", {"contentBlockIndex": self._index}

    def _delta(self, delta: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return "contentBlockDelta", {"contentBlockIndex": self._index, "delta": delta}


def _hold(body: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """The messages with the thoughts that hold: signed here, and standing behind what they were made for."""
    config = body.get("additionalModelRequestFields", {}).get("thinking", {})
    drops = config.get("block_binding", {}).get("prefix_mismatch_behavior") == "drop_block"
    kept: list[dict[str, Any]] = []
    broken, dropped = False, 0
    for message in body["messages"]:
        prefix = _prefix(body, kept)
        content = []
        for block in message["content"]:
            thought = block.get("reasoningContent")
            if thought is not None:
                told = thought.get("reasoningText", {})
                hidden = base64.b64decode(thought.get("redactedContent", "")).decode()
                made, _, signed = (told.get("signature") or hidden).partition(".")
                right = _mac(told.get("text", "redacted"), made)
                need(hmac.compare_digest(signed, right), "Invalid `signature` in `thinking` block")
                if body["modelId"] in BOUND and (broken or made != _digest(prefix)):
                    need(drops, "Invalid `signature` in `thinking` block. It is bound to a different conversation.")
                    broken, dropped = True, dropped + 1
                    continue
            content.append(block)
            prefix += _plain(block)
        kept.append({"role": message["role"], "content": content})
    return kept, dropped


def _thought(text: str, signature: str) -> dict[str, Any]:
    return {"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}}


def _prefix(body: dict[str, Any], messages: list[dict[str, Any]]) -> str:
    parts = [*body.get("toolConfig", {}).get("tools", []), *body.get("system", [])]
    said = "".join(message["role"] + "".join(map(_plain, message["content"])) for message in messages)
    return "".join(map(_plain, parts)) + said + ("assistant" if messages and messages[-1]["role"] == "user" else "")


def _plain(block: dict[str, Any]) -> str:
    return "" if "cachePoint" in block else json.dumps(block, sort_keys=True)


def _digest(prefix: str) -> str:
    return hashlib.sha256(prefix.encode()).hexdigest()


def _sign(text: str, prefix: str) -> str:
    return f"{_digest(prefix)}.{_mac(text, _digest(prefix))}"


def _mac(text: str, digest: str) -> str:
    return hmac.new(SECRET_KEY.encode(), f"{text}|{digest}".encode(), "sha256").hexdigest()


def _text(content: list[dict[str, Any]]) -> str:
    return "".join(block.get("text", "") for block in content)


def _prompt(messages: list[dict[str, Any]]) -> str:
    texts = [_text(message["content"]) for message in messages if message["role"] == "user"]
    return next((text for text in reversed(texts) if text), "")


def _echo_request(body: dict[str, Any], messages: list[dict[str, Any]]) -> LLMRequest:
    tools = [tool["toolSpec"] for tool in body.get("toolConfig", {}).get("tools", []) if "toolSpec" in tool]
    forced = "any" in body.get("toolConfig", {}).get("toolChoice", {})
    text_format = body.get("outputConfig", {}).get("textFormat")
    inference = body.get("inferenceConfig", {})
    return LLMRequest(
        messages=tuple(one for message in messages for one in _ours(message)),
        skills=tuple(
            SkillSpec(name=tool["name"], description=tool["description"], parameters=tool["inputSchema"]["json"])
            for tool in tools
        ),
        skill_choice="required" if forced else "auto",
        output_schema=json.loads(text_format["structure"]["jsonSchema"]["schema"]) if text_format else _told(body),
        max_tokens=inference.get("maxTokens"),
        stop=tuple(inference.get("stopSequences", ())),
    )


def _told(body: dict[str, Any]) -> Any:
    """The schema that the system prompt asks for, which these models heed."""
    words, _, schema = _text(body.get("system", [])).rpartition("JSON schema, with no text around it:")
    return json.loads(schema) if words else None


def _ours(message: dict[str, Any]) -> Iterator[Message]:
    calls = []
    for block in message["content"]:
        if "toolResult" in block:
            result = block["toolResult"]
            call = SkillCall(id=result["toolUseId"], name="skill", arguments="{}")
            yield Message.result(call, _text(result["content"]), is_error=result.get("status") == "error")
        elif "toolUse" in block:
            use = block["toolUse"]
            calls.append(SkillCall(id=use["toolUseId"], name=use["name"], arguments=json.dumps(use["input"])))
    text = _text(message["content"])
    if message["role"] == "assistant":
        yield Message.assistant(text, skill_calls=tuple(calls))
    elif text or {"image", "audio", "video"} & {key for block in message["content"] for key in block}:
        yield Message.user(text or "I got a file")
