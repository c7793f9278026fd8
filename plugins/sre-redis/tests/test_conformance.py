"""The rules of every cache, on one server, with TLS, through Sentinel and on a Cluster."""

import pytest

from sre_core.testing.certificates import Authority
from sre_core.testing.conformance.cache import CacheConformance
from sre_core.testing.servers import ServerProcess, free_port
from sre_redis import RedisCache, RedisSettings

from .redis_servers import ClusterOfThree, SentinelTrio, cache  # noqa: TID252

pytestmark = pytest.mark.integration


class TestOneServer(CacheConformance):
    @pytest.fixture(autouse=True)
    def _server(self, shared_server: ServerProcess) -> None:
        self.port = shared_server.port

    def make(self) -> RedisCache:
        return RedisCache(RedisSettings(url=f"redis://127.0.0.1:{self.port}/3"))

    def make_broken(self) -> RedisCache:
        return cache(free_port(), password="a-password-that-nobody-wants")


class TestTLS(CacheConformance):
    @pytest.fixture(autouse=True)
    def _server(self, shared_tls_server: ServerProcess, authority: Authority) -> None:
        self.port = shared_tls_server.port
        self.ca_file = authority.ca_file

    def make(self) -> RedisCache:
        return RedisCache(RedisSettings(url=f"rediss://127.0.0.1:{self.port}", ca_file=self.ca_file))

    def make_broken(self) -> RedisCache:
        return RedisCache(RedisSettings(url=f"rediss://127.0.0.1:{self.port}", ca_file=self.folder))


class TestSentinel(CacheConformance):
    @pytest.fixture(autouse=True)
    def _servers(self, shared_trio: SentinelTrio) -> None:
        self.trio = shared_trio

    def make(self) -> RedisCache:
        return RedisCache(self.trio.settings())

    def make_broken(self) -> RedisCache:
        return RedisCache(self.trio.settings(sentinel_master="nobody", retries=0))


class TestCluster(CacheConformance):
    @pytest.fixture(autouse=True)
    def _servers(self, shared_cluster: ClusterOfThree) -> None:
        self.cluster = shared_cluster

    def make(self) -> RedisCache:
        return RedisCache(self.cluster.settings())

    def make_broken(self) -> RedisCache:
        return RedisCache(RedisSettings(cluster=True, host="127.0.0.1", port=free_port(), retries=0))
