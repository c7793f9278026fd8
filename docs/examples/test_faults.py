"""A test with a real server, and a proxy before it that fails as it is told."""

import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from sre_core.testing.proxy import FaultProxy
from sre_core.testing.servers import ServerProcess, free_port

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Connectors run on asyncio."""
    return "asyncio"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """Any program that listens on a port; its output goes to a file of the test's folder."""
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with ServerProcess(command, port=port, folder=tmp_path) as server:
        yield server


async def test_a_reply_breaks_off_and_the_next_one_is_whole(server: ServerProcess) -> None:
    async with FaultProxy.before(server.port) as proxy, aiohttp.ClientSession() as client:
        url = f"http://127.0.0.1:{proxy.port}/"
        proxy.cut_after = 100
        with pytest.raises(aiohttp.ClientError):
            await client.get(url)
        proxy.cut_after = None
        async with client.get(url) as response:
            assert response.status == 200
