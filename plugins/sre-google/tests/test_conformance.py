"""The rules of language models, through both APIs and with models of both generations."""

import pytest
from pydantic import SecretStr

from sre_core.testing.conformance.llm import LLMConformance, LLMRateLimitConformance
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
