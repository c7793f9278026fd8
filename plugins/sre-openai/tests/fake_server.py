"""A server that speaks OpenAI's API, strictly: what it does not know it refuses. EchoLLM thinks up its answers."""

import asyncio
import base64
import json
import struct
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ValidationError

from sre_core.builtin import EchoLLM
from sre_core.connectors.base import Settings
from sre_core.connectors.llm import LLMChunk, LLMRequest

from .wire_models import ChatRequest, EmbeddingRequest, MakeImages, ResponsesRequest  # noqa: TID252
from .wire_reading import read_chat, read_responses  # noqa: TID252
from .wire_writing import ResponsesStream, chat_stream, sse  # noqa: TID252

KEY = "sk-key-of-the-fake-server-2718"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class RefusedError(Exception):
    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        self.status = status
        self.body = {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


class FakeServer:
    """Runs in a thread with an event loop of its own, from `with` to its end; `requests` are the bodies that came."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.limited = False
        """Whether every call is answered with "too many requests"."""
        self._echo = EchoLLM(Settings())
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)

    def __enter__(self) -> "FakeServer":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        application = web.Application(client_max_size=64 << 20, middlewares=[self._guarded])
        application.router.add_get("/v1/models", self._models)
        application.router.add_post("/v1/chat/completions", self._chat)
        application.router.add_post("/v1/responses", self._responses)
        application.router.add_post("/v1/embeddings", self._embeddings)
        application.router.add_post("/v1/images/generations", self._make_images)
        application.router.add_post("/v1/images/edits", self._edit_images)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.headers.append(dict(request.headers))
        shown = request.headers.get("Authorization", "")
        if shown != f"Bearer {KEY}":
            # As the real one does, it repeats what it was shown.
            body = RefusedError(401, f"Incorrect API key provided: {shown}.", "invalid_api_key").body
            return web.json_response(body, status=401)
        if self.limited:
            body = RefusedError(429, "Rate limit reached", "rate_limit_exceeded").body
            return web.json_response(body, status=429, headers={"Retry-After": "7"})
        try:
            return await handler(request)
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]
            name = ".".join(str(part) for part in problem["loc"])
            body = RefusedError(400, f"Unknown or bad parameter: '{name}': {problem['msg']}", "unknown_parameter").body
            return web.json_response(body, status=400)
        except RefusedError as refused:
            return web.json_response(refused.body, status=refused.status)

    async def _read(self, request: web.Request, kind: type[BaseModel]) -> Any:
        assert request.content_type == "application/json"
        data = json.loads(await request.read())
        self.requests.append(data)
        return kind.model_validate(data)

    async def _models(self, _: web.Request) -> web.Response:
        data = [{"id": name, "object": "model", "created": 1, "owned_by": "us"} for name in ("echo", "other")]
        return web.json_response({"object": "list", "data": data})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await self._read(request, ChatRequest)
        assert body.stream
        usage = body.stream_options is not None and body.stream_options.include_usage
        chunks = self._answer(read_chat(body), len(body.messages))
        return await self._send(request, chat_stream(chunks, model=body.model, usage=usage))

    async def _responses(self, request: web.Request) -> web.StreamResponse:
        body = await self._read(request, ResponsesRequest)
        assert body.stream
        # What is not kept can only be thought on with if it was given away, sealed.
        seals = body.include if not body.store else ["reasoning.encrypted_content"]
        stream = ResponsesStream(body.model).write(self._answer(read_responses(body), bool(seals)))
        return await self._send(request, stream)

    async def _answer(self, request: LLMRequest, _: object) -> AsyncIterator[LLMChunk]:
        """What EchoLLM says, after a thought if it should think; of files it says how many bytes they have."""
        if request.model != "echo":
            raise RefusedError(404, f"The model `{request.model}` does not exist", "model_not_found")
        if request.thinking:
            yield LLMChunk(thinking="Let me think. ")
        sizes = [f" {file.media_type} {len(file.data)}" for message in request.messages for file in message.files]
        messages = tuple(replace(message, files=()) for message in request.messages)
        if sizes:
            messages = (*messages[:-1], replace(messages[-1], text=messages[-1].text + "".join(sizes)))
        async for chunk in self._echo.stream(replace(request, messages=messages, thinking=None)):
            yield chunk

    async def _send(self, request: web.Request, events: AsyncIterator[bytes]) -> web.StreamResponse:
        # Before the status is sent: an unknown model is no stream.
        first = await anext(events)
        second = await anext(events)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        await response.write(first + second)
        async for event in events:
            await response.write(event)
        await response.write_eof()
        return response

    async def _embeddings(self, request: web.Request) -> web.Response:
        # https://developers.openai.com/api/reference/resources/embeddings/methods/create
        body = await self._read(request, EmbeddingRequest)
        if body.model not in {"echo", "text-embedding-3-small"}:
            raise RefusedError(404, f"The model `{body.model}` does not exist", "model_not_found")
        found = await self._echo.embed(body.input)
        vectors = [vector[: body.dimensions] for vector in found]
        if body.encoding_format == "base64":
            vectors = [base64.b64encode(struct.pack(f"<{len(one)}f", *one)).decode() for one in vectors]
        # The last first: only the index says which is whose.
        data = [{"object": "embedding", "index": i, "embedding": one} for i, one in enumerate(vectors)][::-1]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "data": data, "model": body.model, "usage": usage})

    async def _make_images(self, request: web.Request) -> web.Response:
        return self._images(await self._read(request, MakeImages))

    async def _edit_images(self, request: web.Request) -> web.Response:
        form = await request.post()
        images = [field.file.read() for name, field in form.items() if name == "image[]"]
        fields: dict[str, Any] = {name: value for name, value in form.items() if name != "image[]"}
        self.requests.append(fields | {"images": images})
        return self._images(MakeImages.model_validate(fields | {"n": int(fields["n"])}))

    def _images(self, body: MakeImages) -> web.Response:
        # https://developers.openai.com/api/reference/resources/images/methods/generate
        if not body.model.startswith("gpt-image"):
            raise RefusedError(404, f"The model `{body.model}` does not exist", "model_not_found")
        details = {"text_tokens": 2, "image_tokens": 1}
        usage = {"input_tokens": 3, "output_tokens": 272, "total_tokens": 275, "input_tokens_details": details}
        data = [{"b64_json": base64.b64encode(PIXEL).decode()}] * body.n
        return web.json_response({"created": 1, "data": data, "output_format": body.output_format, "usage": usage})


__all__ = ["KEY", "PIXEL", "FakeServer", "sse"]
