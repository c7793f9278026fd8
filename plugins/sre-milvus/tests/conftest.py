"""A server that speaks Milvus's protocol: the engine of Milvus Lite in a process of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sre_core.testing.servers import ServerProcess, find_server, free_port


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def server_in(folder: Path) -> ServerProcess:
    """Not started. One worker, since the engine is not made for several writers."""
    program = find_server("milvus-lite", hint="pip install milvus-lite", folders=[Path(sys.executable).parent])
    port = free_port()
    words = ["server", "--data-dir", folder / "data", "--host", "127.0.0.1", "--port", str(port), "--max-workers", "1"]
    return ServerProcess([program, *words], port=port, folder=folder)


@pytest.fixture(scope="session")
def milvus_server(tmp_path_factory) -> Iterator[ServerProcess]:
    """One for all tests, which leave it as it is."""
    with server_in(tmp_path_factory.mktemp("milvus-server")) as server:
        yield server


@pytest.fixture
def own_server(tmp_path) -> Iterator[ServerProcess]:
    """One for this test, which may stop it."""
    with server_in(tmp_path / "server") as server:
        yield server
