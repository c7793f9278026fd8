"""A server that speaks the Gemini API and Vertex AI as documented, strictly; EchoLLM answers.

It keeps what it received, signs what it writes, and takes the signatures back on those parts only. It runs in a thread
with an event loop of its own.
"""

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from sre_core.builtin import EchoLLM
from sre_core.connectors.base import Settings
from sre_core.connectors.llm import LLMChunk
from sre_core.messages import FinishReason
from sre_core.testing.conformance.llm_cases import picture

from . import google_wire as wire  # noqa: TID252 -- the folder of tests is no package

KEY = "key-of-the-fake-server-4711"
LIMITED = "key-that-asks-too-often-0815"
PROJECT = "some-project"
LOCATION = "europe-west4"


@dataclass(frozen=True, kw_only=True)
class Model:
    """What a model of the server is like: since Gemini 3 it gives its calls ids, and signs; some only embed."""

    since_3: bool = True
    makes_images: bool = False
    embeds_by: str | None = None


MODELS: Mapping[str, Model] = {
    "gemini-3.8-flash": Model(),
    "gemini-2.5-flash-lite": Model(since_3=False),
    "gemini-nano-banana-2.1": Model(makes_images=True),
    "gemini-embedding-001": Model(embeds_by="embedContent"),
    "text-embedding-005": Model(embeds_by="predict"),
}


def served(*, vertex: bool) -> list[str]:
    """The models of an API: only Vertex AI has those that predict."""
    return [name for name, model in MODELS.items() if vertex or model.embeds_by != "predict"]


@dataclass(frozen=True, kw_only=True)
class Received:
    """A request that came."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass
class ServiceAccount:
    """A key that exists in this process only, and whose tokens the server takes."""

    token_url: str
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )

    @property
    def text(self) -> str:
        """The JSON that Google gives to its users."""
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps(
            {
                "type": "service_account",
                "project_id": PROJECT,
                "private_key_id": "1",
                "private_key": pem.decode(),
                "client_email": f"tests@{PROJECT}.iam.gserviceaccount.com",
                "client_id": "1",
                "token_uri": self.token_url,
            }
        )

    def vouches_for(self, assertion: str) -> bool:
        """Whether this key signed the assertion, for Google's token server, and not long ago."""
        head, body, signature = assertion.split(".")
        raw = base64.urlsafe_b64decode(signature + "==")
        self.key.public_key().verify(raw, f"{head}.{body}".encode(), padding.PKCS1v15(), SHA256())
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        return claims["aud"] == "https://oauth2.googleapis.com/token" and claims["exp"] > time.time()


class ApiError(Exception):
    """An answer in the form of google.rpc.Status."""

    def __init__(self, code: int, status: str, message: str, *details: dict[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.body = {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


class FakeGoogle:
    """The server, between `start` and `stop`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.tokens: set[str] = set()
        """Access tokens that are good; take one out to revoke it."""
        self.next_token = "token-{}-of-the-fake-server"
        self.account: ServiceAccount
        self.url = ""
        self._echo = EchoLLM(Settings())
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake google", daemon=True)
        self._fetched = 0

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()
        self.account = ServiceAccount(f"{self.url}/token")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        self._loop.close()

    def bodies(self, method: str) -> list[dict[str, Any]]:
        """The bodies of all requests for a method, in order."""
        return [one.body for one in self.received if one.path.endswith(f":{method}")]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        application = web.Application(client_max_size=1 << 28)
        application.router.add_post("/token", self._token)
        application.router.add_get("/v1beta/models", self._list)
        application.router.add_post("/v1beta/models/{model}:{method}", self._model)
        vertex = f"/v1beta1/projects/{PROJECT}/locations/{LOCATION}/publishers/google/models"
        application.router.add_get("/v1beta1/publishers/google/models", self._list)
        application.router.add_post(vertex + "/{model}:{method}", self._model)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._stopping.wait()
        await runner.cleanup()

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
            return web.json_response({"error": "unsupported_grant_type"}, status=400)
        try:
            good = self.account.vouches_for(str(form["assertion"]))
        except (ValueError, KeyError, InvalidSignature):
            good = False
        if not good:
            return web.json_response({"error": "invalid_grant", "error_description": "Invalid JWT"}, status=400)
        self._fetched += 1
        token = self.next_token.format(self._fetched)
        self.tokens.add(token)
        return web.json_response({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    async def _list(self, request: web.Request) -> web.Response:
        try:
            self._let_in(request)
        except ApiError as error:
            return web.json_response(error.body, status=error.code)
        size, start = int(request.query.get("pageSize", 50)), int(request.query.get("pageToken") or 0)
        vertex = request.path.startswith("/v1beta1/")
        listed = [_listing(name, MODELS[name], vertex=vertex) for name in served(vertex=vertex)]
        # A page is never longer than two, so that there are several.
        size = min(size, 2)
        more = {"nextPageToken": str(start + size)} if start + size < len(listed) else {}
        return web.json_response({"publisherModels" if vertex else "models": listed[start : start + size], **more})

    async def _model(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.received.append(Received(path=request.path, headers=dict(request.headers), body=json.loads(body)))
        name, method = request.match_info["model"], request.match_info["method"]
        try:
            self._let_in(request)
            model = MODELS.get(name)
            if model is None or name not in served(vertex=request.path.startswith("/v1beta1/")):
                raise ApiError(404, "NOT_FOUND", f"models/{name} is not found for API version v1beta")
            try:
                return await self._answer(request, name, model, method, body)
            except wire.BadRequestError as error:
                raise ApiError(400, "INVALID_ARGUMENT", str(error)) from error
        except ApiError as error:
            return web.json_response(error.body, status=error.code)

    def _let_in(self, request: web.Request) -> None:
        key = request.headers.get("x-goog-api-key")
        # Access tokens are alike, so there a header says who asks too often.
        if LIMITED in {key, request.headers.get("X-Goog-Request-Reason")}:
            info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
            raise ApiError(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", info)
        if request.path.startswith("/v1beta1/"):
            if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
                raise ApiError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
            return
        if key != KEY:
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
            raise ApiError(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", info)

    async def _answer(
        self, request: web.Request, name: str, model: Model, method: str, body: bytes
    ) -> web.StreamResponse:
        vertex = request.path.startswith("/v1beta1/")
        if method == "countTokens":
            count = wire.read(wire.CountRequest, body)
            return web.json_response({"totalTokens": len(_text(count.contents[0]).split())})
        if method in {"predict", "embedContent", "batchEmbedContents"}:
            if model.embeds_by is None or (method != "batchEmbedContents" and not vertex):
                raise ApiError(404, "NOT_FOUND", f"models/{name} is not supported for {method}")
            return await self._embed(name, method, body, vertex=vertex)
        if method != "streamGenerateContent" or request.query.get("alt") != "sse" or model.embeds_by:
            raise ApiError(404, "NOT_FOUND", f"models/{name} is not supported for {method}")
        asked = wire.understand(wire.read(wire.GenerateRequest, body), name, since_3=model.since_3)
        if asked.wants_image != model.makes_images:
            raise wire.BadRequestError("the requested combination of response modalities is not supported by the model")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        async with aclosing(self._events(asked, name, model)) as events:
            async for event in events:
                await response.write(b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\r\n\r\n")
        await response.write_eof()
        return response

    async def _embed(self, name: str, method: str, body: bytes, *, vertex: bool) -> web.Response:
        if method == "predict":
            texts = [one.content for one in wire.read(wire.PredictRequest, body).instances]
        elif method == "embedContent":
            texts = [_text(wire.read(wire.VertexEmbedRequest, body).content)]
        else:
            requests = wire.read(wire.VertexBatchEmbedRequest if vertex else wire.BatchEmbedRequest, body).requests
            texts = [_text(one.content) for one in requests]
            if not vertex and any(one.model != f"models/{name}" for one in requests):
                raise wire.BadRequestError("the model of each request is that of the path")
        # Three times as long, as Google's are not of length 1 once they are shortened.
        values = [{"values": [value * 3 for value in vector]} for vector in await self._echo.embed(texts)]
        if method == "predict":
            return web.json_response({"predictions": [{"embeddings": one} for one in values]})
        return web.json_response({"embedding": values[0]} if method == "embedContent" else {"embeddings": values})

    async def _events(self, asked: wire.Asked, name: str, model: Model) -> AsyncIterator[dict[str, Any]]:
        if model.makes_images:
            image = {"mimeType": "image/png", "data": base64.b64encode(picture().data).decode()}
            yield _event(name, {"inlineData": {**image, "data": "AAAA"}, "thought": True})
            yield _event(name, {"inlineData": image}, reason="STOP", usage=(8, 1290, 0))
            return
        thought = "I think about it."
        if asked.thoughts:
            yield _event(name, {"text": thought, "thought": True})
        calls: dict[int, dict[str, str]] = {}
        text = ""
        last = LLMChunk()
        async with aclosing(self._echo.stream(asked.request)) as chunks:
            async for chunk in chunks:
                last = chunk
                if chunk.call is not None:
                    call = calls.setdefault(chunk.call.index, {"id": "", "name": "", "arguments": ""})
                    call["id"] += chunk.call.id
                    call["name"] += chunk.call.name
                    call["arguments"] += chunk.call.arguments
                elif chunk.text:
                    text += chunk.text
                    yield _event(name, {"text": chunk.text})
        for index, call in calls.items():
            yield _event(name, _call_part(name, model, call, first=not index))
        usage = last.usage
        assert usage is not None
        thoughts = 4 if asked.thoughts else 0
        reason = "MAX_TOKENS" if last.finish_reason is FinishReason.LENGTH else "STOP"
        end = {"text": "", "thoughtSignature": wire.sign(name, "text", text)} if model.since_3 and not calls else None
        yield _event(name, end, reason=reason, usage=(max(usage.input_tokens, 1), usage.output_tokens, thoughts))


def _call_part(name: str, model: Model, call: dict[str, str], *, first: bool) -> dict[str, Any]:
    try:
        arguments = json.loads(call["arguments"])
    except ValueError:
        arguments = {}
    written: dict[str, Any] = {"name": call["name"], "args": arguments}
    if not model.since_3:
        return {"functionCall": written}
    part = {"functionCall": {"id": call["id"], **written}}
    return {**part, "thoughtSignature": wire.sign(name, "call", arguments)} if first else part


def _event(
    name: str, part: dict[str, Any] | None, *, reason: str | None = None, usage: tuple[int, int, int] | None = None
) -> dict[str, Any]:
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", **({"parts": [part]} if part else {})}}
    event: dict[str, Any] = {"candidates": [candidate], "modelVersion": name, "responseId": "r1"}
    if reason is not None:
        candidate["finishReason"] = reason
    if usage is not None:
        prompt, written, thoughts = usage
        event["usageMetadata"] = {
            "promptTokenCount": prompt,
            "candidatesTokenCount": written,
            "totalTokenCount": prompt + written + thoughts,
            **({"thoughtsTokenCount": thoughts} if thoughts else {}),
        }
    return event


def _listing(name: str, model: Model, *, vertex: bool) -> dict[str, Any]:
    if vertex:
        return {"name": f"publishers/google/models/{name}", "versionId": "default", "launchStage": "GA"}
    methods = [model.embeds_by] if model.embeds_by else ["generateContent", "countTokens"]
    limits = {"inputTokenLimit": 1048576, "outputTokenLimit": 65536}
    return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": methods, **limits}


def _text(content: wire.Content) -> str:
    return "".join(part.text or "" for part in content.parts)
