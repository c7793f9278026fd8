"""Fixtures: the fake of Bedrock, and a connector that is started."""

from collections.abc import AsyncIterator, Callable

import pytest

from sre_aws.bedrock.connector import BedrockLLM

from .fake_bedrock import FakeBedrock, at  # noqa: TID252


@pytest.fixture(scope="session")
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def bedrock(anyio_backend) -> AsyncIterator[FakeBedrock]:
    async with FakeBedrock().running() as server:
        yield server


@pytest.fixture
def make(bedrock: FakeBedrock) -> Callable[..., BedrockLLM]:
    """Makes a connector, not started, that leads to the fake server."""

    def make(**settings) -> BedrockLLM:
        return at(**{"url": bedrock.url} | settings)

    return make


@pytest.fixture
async def connector(make) -> AsyncIterator[BedrockLLM]:
    connector = make()
    await connector.start()
    yield connector
    await connector.stop()
