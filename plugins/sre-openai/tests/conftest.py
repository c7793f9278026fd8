"""Fixtures: the fake server, once for all tests."""

from collections.abc import Iterator

import pytest

from .fake_server import FakeServer  # noqa: TID252 -- the folder of tests is no package


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def running_fake() -> Iterator[FakeServer]:
    with FakeServer() as server:
        yield server


@pytest.fixture
def fake(running_fake: FakeServer) -> FakeServer:
    """The fake server, with nothing asked yet."""
    running_fake.requests.clear()
    running_fake.headers.clear()
    running_fake.limited = False
    return running_fake
