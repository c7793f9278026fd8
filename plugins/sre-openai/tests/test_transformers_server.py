"""A real server: `transformers serve` with the weights of SmolLM2-135M. It writes a few tokens a second here."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sre_core.connectors.llm import Completion, LLMConnector, LLMRequest, fold
from sre_core.errors import DeadlineError, UnavailableError
from sre_core.messages import FinishReason, Message
from sre_core.testing.conformance.llm import LLMConformance
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.servers import ServerProcess, find_server, free_port, need_package
from sre_openai import OpenAILLM, OpenAISettings

pytestmark = [pytest.mark.integration, pytest.mark.slow]

LONG = "Write down all numbers from one to one hundred as words."


@pytest.fixture(scope="session")
def weights() -> Path:
    """A folder with safetensors, which the plugin `smollm` makes of its packaged weights."""
    need_package("sre_smollm", hint="the weights come with sre-smollm")
    from sre_smollm import SmolLMSettings
    from sre_smollm.weights.sources import resolve

    return resolve(SmolLMSettings(model="smollm2-135m"))


@pytest.fixture(scope="session")
def served(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    program = find_server(
        "transformers", hint="pip install 'transformers[serving]'", folders=[Path(sys.executable).parent]
    )
    port = free_port()
    command = [program, "serve", str(weights), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    # Several threads that wait for each other by spinning come to nothing on a busy machine.
    environment = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    folder = tmp_path_factory.mktemp("serve")
    with ServerProcess(command, port=port, folder=folder, environment=environment, patience=180) as server:
        yield server


def connector_at(port: int, **settings: Any) -> OpenAILLM:
    # It ignores the choice of a skill and the schema of an answer, and this model thinks as little as it sees.
    return OpenAILLM(OpenAISettings(url=f"http://127.0.0.1:{port}/v1", capabilities=frozenset(), **settings))


@asynccontextmanager
async def started(port: int, **settings: Any) -> AsyncIterator[OpenAILLM]:
    connector = connector_at(port, **settings)
    await connector.start()
    try:
        yield connector
    finally:
        await connector.stop()


def ask(text: str, max_tokens: int = 8) -> LLMRequest:
    return LLMRequest(messages=(Message.user(text),), max_tokens=max_tokens, temperature=0.0)


async def complete(connector: OpenAILLM, request: LLMRequest) -> Completion:
    async with asyncio.timeout(240), aclosing(connector.stream(request)) as chunks:
        return fold([chunk async for chunk in chunks])


class TestServedByTransformers(LLMConformance):
    patience: ClassVar[float] = 240.0
    max_tokens: ClassVar[int] = 2

    @pytest.fixture(autouse=True)
    def _server(self, served: ServerProcess) -> None:
        self.port = served.port

    def make(self) -> OpenAILLM:
        return connector_at(self.port)

    def request(self, connector: LLMConnector, *messages: Message | str, **changes: Any) -> LLMRequest:
        request = super().request(connector, *messages, **changes)
        return replace(request, max_tokens=min(request.max_tokens or 8, 8))


@pytest.mark.parametrize("api", ["chat", "responses"])
async def test_both_apis_say_the_same(served: ServerProcess, api: str):
    request = ask("The capital of France is", 12)
    async with started(served.port) as chat, started(served.port, api=api) as other:
        expected, found = await complete(chat, request), await complete(other, request)
    assert found.message.text == expected.message.text != ""
    assert found.usage == expected.usage
    assert found.usage.output_tokens > 0
    # Through Responses, this server calls a reply complete that it has cut.
    assert expected.finish_reason is FinishReason.LENGTH


async def test_its_only_model_is_the_default(served: ServerProcess, weights: Path):
    async with started(served.port) as connector:
        assert [model.id for model in await connector.models()] == [str(weights)]
        await connector.ping()


async def test_leaving_a_stream_frees_its_connection(served: ServerProcess):
    async with FaultProxy.before(served.port) as proxy, started(proxy.port) as connector:
        async with asyncio.timeout(240), aclosing(connector.stream(ask(LONG, 400))) as chunks:
            await anext(chunks)
        await asyncio.wait_for(proxy.wait_until_open(0), 120)
        task = asyncio.create_task(complete(connector, ask(LONG, 400)))
        await asyncio.wait_for(proxy.wait_until_open(1), 120)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        await asyncio.wait_for(proxy.wait_until_open(0), 120)
        assert (await complete(connector, ask("Say hello"))).message.text


async def test_a_slow_network_only_takes_longer(served: ServerProcess):
    async with FaultProxy.before(served.port) as proxy, started(proxy.port) as connector:
        expected = await complete(connector, ask("Say hello"))
        proxy.delay = 0.05
        assert await complete(connector, ask("Say hello")) == expected


async def test_a_cut_in_the_middle_of_a_reply_is_unavailable(served: ServerProcess):
    async with FaultProxy.before(served.port) as proxy, started(proxy.port) as connector:
        await connector.models()
        proxy.break_off()
        proxy.cut_after = 1500
        with pytest.raises(UnavailableError):
            await complete(connector, ask(LONG, 100))
        proxy.cut_after = None
        assert (await complete(connector, ask("Say hello"))).message.text


async def test_silence_ends_with_the_timeout(served: ServerProcess):
    async with FaultProxy.before(served.port) as proxy, started(proxy.port, timeout=10.0) as connector:
        await connector.models()
        proxy.silent = True
        with pytest.raises(DeadlineError, match="silent"):
            await complete(connector, ask("Say hello"))


async def test_a_server_that_dies_in_mid_call_is_unavailable_until_it_is_back(served: ServerProcess):
    async with started(served.port) as connector:
        async with asyncio.timeout(240), aclosing(connector.stream(ask(LONG, 400))) as chunks:
            await anext(chunks)
            served.kill()
            with pytest.raises(UnavailableError):
                _ = [chunk async for chunk in chunks]
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await complete(connector, ask("Say hello"))
        served.start()
        found = await complete(connector, ask("Say hello"))
        assert found.finish_reason in {FinishReason.STOP, FinishReason.LENGTH}
