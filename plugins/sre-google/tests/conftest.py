"""The fake server, once for all tests."""

from collections.abc import Iterator

import pytest

from .fake_google import FakeGoogle  # noqa: TID252 -- the folder of tests is no package


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server() -> Iterator[FakeGoogle]:
    fake = FakeGoogle()
    fake.start()
    yield fake
    fake.stop()


@pytest.fixture
def google(server: FakeGoogle) -> FakeGoogle:
    """The server, with nothing received yet."""
    server.received.clear()
    return server
