"""Fixtures: real servers, each started once."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from sre_core.testing.certificates import Authority
from sre_core.testing.proxy import FaultProxy
from sre_core.testing.servers import ServerProcess
from sre_redis import RedisCache

from .redis_servers import ClusterOfThree, SentinelTrio, cache, redis_server, tls_server  # noqa: TID252


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that no test stops or changes."""
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server of the test's own."""
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def shared_tls_server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[ServerProcess]:
    with tls_server(tmp_path_factory.mktemp("tls"), authority, "--tls-auth-clients", "no") as server:
        yield server


@pytest.fixture(scope="session")
def shared_trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelTrio]:
    with SentinelTrio.running(tmp_path_factory.mktemp("trio")) as trio:
        yield trio


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterOfThree]:
    with ClusterOfThree.running(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
async def proxy(shared_server: ServerProcess) -> AsyncIterator[FaultProxy]:
    """What stands between a connector and the shared server."""
    async with FaultProxy.before(shared_server.port) as proxy:
        yield proxy


@pytest.fixture
async def started() -> "AsyncIterator[Callable[..., Awaitable[RedisCache]]]":
    """Starts connectors, each of them given or made for a port, and stops them at the end."""
    async with AsyncExitStack() as stack:

        async def start(made: RedisCache | int, **changes: Any) -> RedisCache:
            connector = cache(made, **changes) if isinstance(made, int) else made
            stack.push_async_callback(connector.stop)
            await connector.start()
            return connector

        yield start
