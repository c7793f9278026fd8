"""The conformance kits, against a server that keeps the rules of Converse, and one that misbehaves."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest

from sre_aws.bedrock.connector import BedrockLLM
from sre_aws.bedrock.settings import BedrockSettings
from sre_core.connectors.llm import LLMRequest, fold
from sre_core.messages import Message
from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.conformance.llm import LLMConformance, LLMRateLimitConformance
from sre_core.testing.replay import HttpReply, ReplayServer

from .bedrock_rules import CLAUDE, NOVA_2, OLD_CLAUDE  # noqa: TID252
from .event_stream import event  # noqa: TID252 -- the folder of tests is no package
from .fake_bedrock import SECRET_KEY, FakeBedrock, at  # noqa: TID252

_REFUSED = {"The provided model identifier is invalid.", "The security token is invalid."}


class _OnFakeBedrock(LLMConformance):
    model: ClassVar[str]

    @pytest.fixture(autouse=True)
    async def _server(self) -> AsyncIterator[None]:
        async with FakeBedrock().running() as self.server:
            yield
        assert set(self.server.refusals) <= _REFUSED

    def make(self) -> BedrockLLM:
        return at(self.server.url, model=self.model)

    def make_broken(self) -> BedrockLLM:
        return BedrockLLM(BedrockSettings(profile="no-such-profile-of-the-tests", region="us-east-1"))

    def fits(self, prompt: str, answer: str) -> bool:
        return prompt == answer


class TestBedrockThatThinksUnlessTold(_OnFakeBedrock):
    model = CLAUDE


class TestBedrockThatThinksByBudget(_OnFakeBedrock):
    model = OLD_CLAUDE


class TestBedrockOfAnotherMaker(_OnFakeBedrock):
    model = NOVA_2


class TestBedrockRateLimit(LLMRateLimitConformance):
    @pytest.fixture(autouse=True)
    async def _server(self) -> AsyncIterator[None]:
        headers = {"x-amzn-ErrorType": "ThrottlingException", "Retry-After": "7"}
        reply = HttpReply.json({"message": "Too many requests"}, status=429, headers=headers)
        async with ReplayServer.running(always=reply) as self.server:
            yield

    def make_limited(self) -> BedrockLLM:
        return at(self.server.url)


class TestBedrockFaults(HttpFaultConformance):
    secret = SECRET_KEY

    def make_at(self, url: str) -> BedrockLLM:
        return at(url)

    async def call(self, connector: BedrockLLM) -> Any:
        return fold([chunk async for chunk in connector.stream(LLMRequest(messages=(Message.user("Hello"),)))])

    def good(self) -> HttpReply:
        frames = [
            event("messageStart", {"role": "assistant"}),
            event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello"}}),
            event("contentBlockStop", {"contentBlockIndex": 0}),
            event("messageStop", {"stopReason": "end_turn"}),
            event("metadata", {"usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}),
        ]
        return HttpReply(headers={"Content-Type": "application/vnd.amazon.eventstream"}, pieces=frames)


class TestBedrockEmbedFaults(TestBedrockFaults):
    """Of calls whose answer is one JSON document."""

    async def call(self, connector: BedrockLLM) -> Any:
        return await connector.embed(["Hello"])

    def good(self) -> HttpReply:
        # As in the user guide of Bedrock, page "Amazon Titan Text Embeddings models".
        return HttpReply.json({"embedding": [0.5, 0.25], "inputTextTokenCount": 1})
