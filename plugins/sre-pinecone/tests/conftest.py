"""Servers that speak Pinecone's API, for one test each."""

from collections.abc import AsyncIterator

import pytest

from .fake_pinecone import FakePinecone  # noqa: TID252 -- the folder of tests is no package


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
