"""The rules of language models, through both APIs and with models of both generations, and the faults of HTTP."""

import json
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import SecretStr

from sre_core.connectors.llm import GeneratedImages, ImageRequest, LLMChunk, LLMRequest, ModelInfo
from sre_core.messages import Message
from sre_core.testing.conformance import HttpFaultConformance
from sre_core.testing.conformance.llm import LLMConformance, LLMRateLimitConformance
from sre_core.testing.replay import HttpReply
from sre_google import GoogleLLM, GoogleSettings

from .fake_google import LIMITED, FakeGoogle  # noqa: TID252 -- the folder of tests is no package
from .google_connectors import gemini, vertex  # noqa: TID252


class Served(LLMConformance):
    """What the kits below have in common: the server, which echoes."""

    server: FakeGoogle

    @pytest.fixture(autouse=True)
    def _server(self, server: FakeGoogle) -> None:
        self.server = server

    def fits(self, prompt: str, answer: str) -> bool:
        return prompt == answer


class TestGemini(Served, LLMRateLimitConformance):
    def make(self) -> GoogleLLM:
        return gemini(self.server)

    def make_broken(self) -> GoogleLLM:
        return GoogleLLM(GoogleSettings())

    def make_limited(self) -> GoogleLLM:
        return gemini(self.server, key=SecretStr(LIMITED))


class TestGeminiBeforeThree(Served):
    def make(self) -> GoogleLLM:
        return gemini(self.server, model="gemini-2.5-flash-lite")


class TestGeminiWithoutCounting(Served):
    def make(self) -> GoogleLLM:
        return gemini(self.server, count_tokens=False)


class TestVertex(Served, LLMRateLimitConformance):
    def make(self) -> GoogleLLM:
        return vertex(self.server)

    def make_broken(self) -> GoogleLLM:
        return vertex(self.server, credentials=SecretStr('{"type": "service_account"}'))

    def make_limited(self) -> GoogleLLM:
        return vertex(self.server, headers={"X-Goog-Request-Reason": SecretStr(LIMITED)})


def event(part: Mapping[str, Any], **more: Any) -> bytes:
    candidate = {"index": 0, "content": {"role": "model", "parts": [part]}, **more}
    return b"data: " + json.dumps({"candidates": [candidate]}).encode() + b"\r\n\r\n"


class Faults(HttpFaultConformance):
    """The faults of a server that is shown a key."""

    def make_at(self, url: str) -> GoogleLLM:
        return GoogleLLM(GoogleSettings(key=SecretStr(self.secret), url=url))


class TestAnswerFaults(Faults):
    async def call(self, connector: GoogleLLM) -> list[LLMChunk]:
        async with aclosing(connector.stream(LLMRequest(messages=(Message.user("hello"),)))) as chunks:
            return [chunk async for chunk in chunks]

    def good(self) -> HttpReply:
        return HttpReply.events([event({"text": "Hel"}), event({"text": "lo"}, finishReason="STOP")])


class TestVertexFaults(TestAnswerFaults):
    @pytest.fixture(autouse=True)
    def _server(self, server: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
        self.account = SecretStr(server.account.text)
        monkeypatch.setattr(server, "next_token", self.secret)

    def make_at(self, url: str) -> GoogleLLM:
        return GoogleLLM(GoogleSettings(backend="vertex", credentials=self.account, url=url))


class TestImageFaults(Faults):
    """Of images, which come as answers do."""

    async def call(self, connector: GoogleLLM) -> GeneratedImages:
        return await connector.generate_images(ImageRequest(prompt="A cat"))

    def good(self) -> HttpReply:
        image = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
        return HttpReply.events([event(image), event({"text": "Here."}, finishReason="STOP")])


class TestEmbeddingFaults(Faults):
    """Of what comes in one piece."""

    async def call(self, connector: GoogleLLM) -> list[list[float]]:
        return await connector.embed(["hello"])

    def good(self) -> HttpReply:
        return HttpReply.json({"embeddings": [{"values": [0.6, 0.8]}]})


class TestCountingFaults(Faults):
    async def call(self, connector: GoogleLLM) -> list[int]:
        return await connector.count_tokens(["hello"])

    def good(self) -> HttpReply:
        return HttpReply.json({"totalTokens": 3})


class TestListingFaults(Faults):
    async def call(self, connector: GoogleLLM) -> list[ModelInfo]:
        return await connector.models()

    def good(self) -> HttpReply:
        return HttpReply.json({"models": [{"name": "models/gemini-3.8-flash"}]})
