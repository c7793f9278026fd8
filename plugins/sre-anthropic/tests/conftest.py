"""Fixtures: the fake server, and a connector that is started."""

from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr

from sre_anthropic import AnthropicLLM, AnthropicSettings

from .fake_claude import KEY, FakeClaude  # noqa: TID252 -- the folder of tests is no package


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def claude(anyio_backend) -> AsyncIterator[FakeClaude]:
    async with FakeClaude().running() as server:
        yield server


@pytest.fixture
def make(claude: FakeClaude) -> Callable[..., AnthropicLLM]:
    """Makes a connector, not started, that leads to the fake server."""

    def make(**settings) -> AnthropicLLM:
        given = {"key": SecretStr(KEY), "url": claude.url, "model": "claude-haiku-5-5"} | settings
        return AnthropicLLM(AnthropicSettings(**given))

    return make


@pytest.fixture
async def connector(make) -> AsyncIterator[AnthropicLLM]:
    connector = make()
    await connector.start()
    yield connector
    await connector.stop()
