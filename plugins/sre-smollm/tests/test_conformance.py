"""The conformance kit, on the real small model."""

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sre_core.connectors.llm import LLMConnector, LLMRequest
from sre_core.messages import Message
from sre_core.testing.conformance.llm import LLMConformance
from sre_smollm import SmolLM, SmolLMSettings


@pytest.mark.slow
class TestSmolLM(LLMConformance):
    patience: ClassVar[float] = 240.0
    max_tokens: ClassVar[int] = 4

    def make(self) -> SmolLM:
        return SmolLM(SmolLMSettings())

    def make_broken(self) -> SmolLM:
        return SmolLM(SmolLMSettings(weights=Path("/no/such/folder")))

    def request(self, connector: LLMConnector, *messages: Message | str, **changes: Any) -> LLMRequest:
        request = super().request(connector, *messages, **changes)
        return replace(request, max_tokens=min(request.max_tokens or 64, 64))

    # One started connector for all rules: loading the weights for each would take minutes. A rule that stops it
    # leaves it to the next one to start it again.
    @pytest.fixture
    async def connector(self, smollm: SmolLM) -> SmolLM:
        await smollm.start()
        return smollm
