"""TLS: to one server, through Sentinel, on a Cluster; and sockets that need none."""

import asyncio

import pytest

from sre_core.errors import ConfigError, ConnectorError, UnavailableError
from sre_core.testing.certificates import Authority
from sre_core.testing.servers import ServerProcess, find_server, free_port
from sre_redis import RedisCache, RedisSettings

from .redis_servers import HINT, cli, redis_server, tls_server, until_it_works  # noqa: TID252

pytestmark = [pytest.mark.anyio, pytest.mark.integration]


def settings(server, **changes):
    return RedisSettings.model_validate({"url": f"rediss://127.0.0.1:{server.port}", "retries": 0} | changes)


async def test_a_certificate_of_an_unknown_authority_is_refused(shared_tls_server, started):
    with pytest.raises(ConnectorError, match="no TLS connection") as raised:
        await started(RedisCache(settings(shared_tls_server, retries=3)))
    assert not raised.value.retryable
    assert "ca_file" in raised.value.hint


async def test_a_certificate_for_another_host_is_refused(tmp_path, started):
    authority = Authority(tmp_path)
    other = authority.issue("other", hosts=("elsewhere.test",))
    words = ("--tls-auth-clients", "no", "--tls-cert-file", str(other.cert_file), "--tls-key-file", str(other.key_file))
    with tls_server(tmp_path / "redis", authority, *words) as server:
        with pytest.raises(ConnectorError, match="no TLS connection"):
            await started(RedisCache(settings(server, ca_file=authority.ca_file)))
        await started(RedisCache(settings(server, verify=False)))


async def test_a_server_that_wants_our_certificate_gets_it(tmp_path, authority, started):
    ours = authority.issue("client")
    with tls_server(tmp_path / "redis", authority, "--tls-auth-clients", "yes") as server:
        with pytest.raises(ConnectorError):
            await started(RedisCache(settings(server, ca_file=authority.ca_file)))
        files = {"ca_file": authority.ca_file, "cert_file": ours.cert_file, "key_file": ours.key_file}
        connector = await started(RedisCache(settings(server, **files)))
        await connector.set("key", b"value")


async def test_a_server_without_tls_is_named_as_one(shared_server, authority, started):
    with pytest.raises((ConnectorError, UnavailableError), match=f"127.0.0.1:{shared_server.port}"):
        await started(RedisCache(settings(shared_server, ca_file=authority.ca_file, timeout=1)))


async def test_files_that_are_no_certificates_are_wrong_settings(shared_tls_server, tmp_path, started):
    (tmp_path / "empty.pem").write_text("nothing")
    for changes in ({"ca_file": tmp_path / "missing.pem"}, {"cert_file": tmp_path / "empty.pem"}):
        with pytest.raises(ConfigError, match="TLS files"):
            await started(RedisCache(settings(shared_tls_server, **changes)))


async def test_two_hundred_connections_share_what_was_read_of_the_authorities(shared_tls_server, authority, started):
    connector = await started(RedisCache(settings(shared_tls_server, ca_file=authority.ca_file, timeout=30)))
    sums = await asyncio.gather(*(connector.increment("crowd") for _ in range(200)))
    assert sorted(sums) == list(range(1, 201))


async def test_sentinel_and_its_primary_may_both_want_tls(tmp_path, authority, started):
    with tls_server(tmp_path / "redis", authority, "--tls-auth-clients", "no") as primary:
        port = free_port()
        folder = tmp_path / "sentinel"
        folder.mkdir()
        mine = authority.issue("sentinel")
        (folder / "sentinel.conf").write_text(
            f"port 0\ntls-port {port}\ntls-auth-clients no\ntls-replication yes\ndir {folder}\n"
            f"tls-cert-file {mine.cert_file}\ntls-key-file {mine.key_file}\ntls-ca-cert-file {authority.ca_file}\n"
            f"sentinel monitor mymaster 127.0.0.1 {primary.port} 1\n"
        )
        command = [find_server("redis-server", hint=HINT), str(folder / "sentinel.conf"), "--sentinel"]
        with ServerProcess(command, port=port, folder=folder):
            changes = {"tls": True, "ca_file": authority.ca_file, "sentinels": (f"127.0.0.1:{port}",)}
            connector = await started(RedisCache(RedisSettings.model_validate(changes)))
            await connector.set("key", b"value")
            assert await connector.get("key") == b"value"


async def test_a_cluster_may_want_tls(tmp_path, authority, started):
    words = ("--tls-auth-clients", "no", "--cluster-enabled", "yes", "--tls-cluster", "yes")
    with tls_server(tmp_path / "node", authority, *words, "--cluster-port", str(free_port())) as node:
        cli(node.port, "--tls", "--cacert", str(authority.ca_file), "cluster", "addslotsrange", "0", "16383")
        connector = await started(RedisCache(settings(node, ca_file=authority.ca_file, cluster=True)))
        await until_it_works(lambda: connector.set("key", b"value"))
        sums = await asyncio.gather(*(connector.increment("count", ttl=60) for _ in range(50)))
        assert sorted(sums) == list(range(1, 51))


async def test_a_socket_in_the_file_system_is_a_way_too(tmp_path, started):
    path = tmp_path / "r.sock"
    with redis_server(tmp_path / "redis", "--unixsocket", str(path)) as server:
        connector = await started(RedisCache(RedisSettings(url=f"unix://{path}?db=2")))
        await connector.set("key", b"value")
        assert await connector.increment("count") == 1
        server.kill()
        with pytest.raises(UnavailableError, match=r"r\.sock"):
            await connector.get("key")
