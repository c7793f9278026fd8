"""The rules of every language model, through both APIs, and the faults that HTTP has."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr

from sre_core.connectors.llm import ImageRequest, LLMRequest
from sre_core.messages import File, Message
from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.conformance.llm import LLMConformance, LLMRateLimitConformance
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_openai import OpenAILLM, OpenAISettings

from .fake_server import KEY, PIXEL, FakeServer, sse  # noqa: TID252 -- the folder of tests is no package
from .replies import chat_events, responses_events  # noqa: TID252


class OnFakeServer(LLMConformance, LLMRateLimitConformance):
    api: str
    server: FakeServer

    @pytest.fixture(autouse=True)
    def _server(self, fake: FakeServer) -> None:
        self.server = fake

    def settings(self, **changes: Any) -> OpenAISettings:
        given = {"preset": "openai", "url": self.server.url, "key": KEY, "model": "echo", "api": self.api}
        return OpenAISettings.model_validate({**given, "embedding_model": "echo", **changes})

    def make(self) -> OpenAILLM:
        return OpenAILLM(self.settings())

    def make_broken(self) -> OpenAILLM:
        return OpenAILLM(self.settings(key=None))

    def make_limited(self) -> OpenAILLM:
        self.server.limited = True
        return OpenAILLM(self.settings())

    def fits(self, prompt: str, answer: str) -> bool:
        return answer == prompt


class TestChat(OnFakeServer):
    api = "chat"


class TestResponses(OnFakeServer):
    api = "responses"


class Faults(HttpFaultConformance):
    api: str

    def make_at(self, url: str) -> OpenAILLM:
        key = SecretStr(self.secret)
        return OpenAILLM(OpenAISettings(preset="openai", url=f"{url}/v1", key=key, api=self.api, model="m"))

    async def call(self, connector: OpenAILLM) -> None:
        async for _ in connector.stream(LLMRequest(messages=(Message.user("Hello"),))):
            pass


class TestChatFaults(Faults):
    api = "chat"

    def good(self) -> HttpReply:
        return HttpReply.events([sse(event) for event in chat_events("Hello")] + [b"data: [DONE]\n\n"])


class TestResponsesFaults(Faults):
    api = "responses"

    def good(self) -> HttpReply:
        return HttpReply.events([sse(event, event["type"]) for event in responses_events("Hello")])


class TestEmbeddingFaults(Faults):
    """Of calls whose answer is one JSON document."""

    api = "chat"

    async def call(self, connector: OpenAILLM) -> None:
        await connector.embed(["Hello"])

    def good(self) -> HttpReply:
        data = [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]
        return HttpReply.json({"object": "list", "data": data, "model": "m"})


class TestImageFaults(Faults):
    """Of images that are made from words, which come in the answer."""

    api = "chat"
    images: tuple[File, ...] = ()

    async def call(self, connector: OpenAILLM) -> None:
        await connector.generate_images(ImageRequest(prompt="A cat", images=self.images))

    def good(self) -> HttpReply:
        return HttpReply.json({"created": 1, "data": [{"b64_json": base64.b64encode(PIXEL).decode()}]})


class TestImageFormFaults(TestImageFaults):
    """Of images that are made from others, which go in a form."""

    images = (File(name="a.png", media_type="image/png", data=PIXEL),)


class TestImageLinkFaults(Faults):
    """Of images that the answer only leads to, at a server of their own."""

    api = "chat"

    @pytest.fixture(autouse=True)
    async def _api(self) -> AsyncIterator[None]:
        async with ReplayServer.running() as self.server:
            yield

    def make_at(self, url: str) -> OpenAILLM:
        self.server.always = HttpReply.json({"created": 1, "data": [{"url": f"{url}/image"}]})
        return OpenAILLM(OpenAISettings(preset="openai", url=f"{self.server.url}/v1", key=SecretStr(self.secret)))

    async def call(self, connector: OpenAILLM) -> None:
        await connector.generate_images(ImageRequest(prompt="A cat"))

    def good(self) -> HttpReply:
        return HttpReply(headers={"Content-Type": "image/png"}, pieces=(PIXEL,))
