"""A real MCP server on loopback, over both transports."""

from collections.abc import Iterator

import pytest

from .real_server import RealServer  # noqa: TID252 -- the folder of tests is no package


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", params=["streamable-http", "sse"])
def running(request: pytest.FixtureRequest) -> Iterator[RealServer]:
    with RealServer(request.param) as server:
        yield server


@pytest.fixture
def server(running: RealServer) -> RealServer:
    """The server, with nothing received yet; a test runs once with each transport."""
    running.received.clear()
    return running


@pytest.fixture
def newer() -> Iterator[RealServer]:
    """A server of its own, over Streamable HTTP."""
    with RealServer("streamable-http") as server:
        yield server
