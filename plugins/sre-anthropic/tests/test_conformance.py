"""The conformance kits, against a server that keeps the rules of the Messages API, and one that misbehaves."""

import json
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from sre_anthropic import AnthropicLLM, AnthropicSettings
from sre_core.connectors.llm import LLMRequest, fold
from sre_core.errors import UnavailableError
from sre_core.messages import Message
from sre_core.testing.conformance.http_faults import HttpFaultConformance
from sre_core.testing.conformance.llm import LLMConformance, LLMRateLimitConformance
from sre_core.testing.replay import HttpReply, ReplayServer
from sre_core.testing.servers import free_port

from .fake_claude import KEY, FakeClaude  # noqa: TID252 -- the folder of tests is no package


class _OnFakeClaude(LLMConformance):
    model: ClassVar[str]

    @pytest.fixture(autouse=True)
    async def _server(self) -> AsyncIterator[None]:
        async with FakeClaude().running() as self.server:
            yield
        assert set(self.server.refusals) <= {"model: no-such-model-of-the-conformance-kit", "invalid bearer token"}

    def make(self) -> AnthropicLLM:
        return AnthropicLLM(AnthropicSettings(key=SecretStr(KEY), url=self.server.url, model=self.model))

    def make_broken(self) -> AnthropicLLM:
        return AnthropicLLM(AnthropicSettings())

    def fits(self, prompt: str, answer: str) -> bool:
        return prompt == answer


class TestAnthropicThatThinksUnlessTold(_OnFakeClaude):
    model = "claude-haiku-5-5"


class TestAnthropicThatThinksByBudget(_OnFakeClaude):
    model = "claude-opus-4-5"


class TestAnthropicThatThinksWhenAsked(_OnFakeClaude):
    model = "claude-opus-4-7"


class TestAnthropicRateLimit(LLMRateLimitConformance):
    @pytest.fixture(autouse=True)
    async def _server(self) -> AsyncIterator[None]:
        error = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}}
        reply = HttpReply.json(error, status=429, headers={"retry-after": "7"})
        async with ReplayServer.running(always=reply) as self.server:
            yield

    def make_limited(self) -> AnthropicLLM:
        return AnthropicLLM(AnthropicSettings(key=SecretStr(KEY), url=self.server.url))


class TestAnthropicFaults(HttpFaultConformance):
    secret = KEY

    def make_at(self, url: str) -> AnthropicLLM:
        return AnthropicLLM(AnthropicSettings(key=SecretStr(self.secret), url=url))

    async def call(self, connector: AnthropicLLM) -> Any:
        return fold([chunk async for chunk in connector.stream(LLMRequest(messages=(Message.user("Hello"),)))])

    def good(self) -> HttpReply:
        events = [
            {"type": "message_start", "message": {"usage": {"input_tokens": 1, "output_tokens": 1}}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
            {"type": "message_stop"},
        ]
        return HttpReply.events([b"data: %b\n\n" % json.dumps(event).encode() for event in events])

    async def test_a_port_that_nobody_listens_on_fails_at_the_first_call(self) -> None:
        connector = self.make_at(f"http://127.0.0.1:{free_port()}")
        await connector.start()
        with pytest.raises(UnavailableError, match="cannot reach"):
            await self.call(connector)
        await connector.stop()


class TestAnthropicListingFaults(HttpFaultConformance):
    """The faults, while the list of models is waited for, which comes in one piece."""

    secret = KEY

    def make_at(self, url: str) -> AnthropicLLM:
        return AnthropicLLM(AnthropicSettings(key=SecretStr(self.secret), url=url))

    async def call(self, connector: AnthropicLLM) -> Any:
        return await connector.models()

    def good(self) -> HttpReply:
        return HttpReply.json({"data": [{"type": "model", "id": "claude-haiku-5-5"}], "has_more": False})

    # Not 404: a server without a list is no fault.
    @pytest.mark.parametrize("status", [200, 502])
    async def test_an_error_page_is_no_answer(self, status: int) -> None:
        await super().test_an_error_page_is_no_answer(status)
