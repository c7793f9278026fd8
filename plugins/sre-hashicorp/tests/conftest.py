"""Fixtures: real servers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sre_core.testing.certificates import Authority
from sre_hashicorp import HashicorpVault

from .bao_servers import Bao  # noqa: TID252


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def running(folder: Path, authority: Authority | None = None) -> Iterator[Bao]:
    bao = Bao(folder, authority=authority)
    with bao.process:
        bao.initialise()
        bao.prepare()
        yield bao


@pytest.fixture(scope="session")
def shared_bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """An unsealed server that no test stops or seals."""
    yield from running(tmp_path_factory.mktemp("shared") / "bao")


@pytest.fixture
def bao(tmp_path: Path) -> Iterator[Bao]:
    """An unsealed server of the test's own."""
    yield from running(tmp_path / "bao")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def shared_tls_bao(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Bao]:
    """An unsealed server that speaks TLS."""
    yield from running(tmp_path_factory.mktemp("tls") / "bao", authority)


@pytest.fixture
async def started() -> "AsyncIterator[Callable[[HashicorpVault], Awaitable[HashicorpVault]]]":
    """Starts connectors, and stops them at the end."""
    async with AsyncExitStack() as stack:

        async def start(connector: HashicorpVault) -> HashicorpVault:
            stack.push_async_callback(connector.stop)
            await connector.start()
            return connector

        yield start
