"""A server that speaks Pinecone's API and a connector to it, for one test each."""

from collections.abc import AsyncIterator

import pytest

from sre_pinecone import PineconeVectors

from .fake_pinecone import FakePinecone  # noqa: TID252 -- the folder of tests is no package
from .used import connector_at  # noqa: TID252


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def fake() -> AsyncIterator[FakePinecone]:
    """One that shows changes at once, unless a test sets its lag."""
    server = FakePinecone()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def connector(fake) -> AsyncIterator[PineconeVectors]:
    """Started."""
    made = connector_at(fake)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
