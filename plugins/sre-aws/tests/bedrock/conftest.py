"""Fixtures: the fake of Bedrock, and a connector that is started."""

from collections.abc import AsyncIterator, Callable

import pytest
from pydantic import SecretStr

from sre_aws.bedrock.connector import BedrockLLM
from sre_aws.bedrock.settings import BedrockSettings

from .bedrock_rules import CLAUDE  # noqa: TID252
from .fake_bedrock import ACCESS_KEY, SECRET_KEY, FakeBedrock  # noqa: TID252


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
        keys = {"access_key_id": SecretStr(ACCESS_KEY), "secret_access_key": SecretStr(SECRET_KEY)}
        return BedrockLLM(BedrockSettings(**keys | {"url": bedrock.url, "model": CLAUDE} | settings))

    return make


@pytest.fixture
async def connector(make) -> AsyncIterator[BedrockLLM]:
    connector = make()
    await connector.start()
    yield connector
    await connector.stop()
