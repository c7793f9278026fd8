"""Real Redis servers for the tests: one, a Sentinel trio, a Cluster of three."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from sre_core.errors import ConnectorError
from sre_core.testing.certificates import Authority
from sre_core.testing.servers import ServerProcess, find_server, free_port
from sre_redis import RedisCache, RedisSettings

HINT = "apt install redis-server"
PATIENCE = 60.0
MASTER = "primary"


def redis_server(folder: Path, *options: str, port: int | None = None) -> ServerProcess:
    """A server that keeps every write on disk before it answers; without `port`, on a free one."""
    port = port or free_port()
    base = ["--port", str(port), "--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    base += ["--repl-diskless-sync-delay", "0", "--dir", str(folder)]
    command = [find_server("redis-server", hint=HINT), *base, *options]
    return ServerProcess(command, port=port, folder=folder)


def tls_server(folder: Path, authority: Authority, *options: str) -> ServerProcess:
    """A server that speaks TLS alone."""
    port = free_port()
    certificate = authority.issue("redis")
    words = [
        *("--tls-port", str(port), "--tls-ca-cert-file", str(authority.ca_file)),
        *("--tls-cert-file", str(certificate.cert_file), "--tls-key-file", str(certificate.key_file)),
    ]
    command = [find_server("redis-server", hint=HINT), "--port", "0", "--save", "", *words, *options]
    return ServerProcess([*command, "--dir", str(folder)], port=port, folder=folder)


def cli(port: int, *words: str) -> str:
    """What redis-cli prints for a command."""
    command = [find_server("redis-cli", hint=HINT), "-p", str(port), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout.strip()


def wait_for_reply(port: int, wanted: str, *words: str) -> None:
    """Ask until the answer contains `wanted`; what to wait for happens in another process."""
    for _ in range(2000):
        # Sentinels break off the connections to what they make a primary, or a replica.
        with suppress(subprocess.CalledProcessError):
            if wanted in cli(port, *words):
                return
    raise TimeoutError(f"{' '.join(words)} never said {wanted!r}")


def wait_for_all_slots(node: ServerProcess) -> None:
    """Wait until a node of a Cluster knows where each slot is; its state is "ok" before."""
    wait_for_reply(node.port, "cluster_slots_assigned:16384", "cluster", "info")
    wait_for_reply(node.port, "cluster_state:ok", "cluster", "info")


class SentinelTrio:
    """A primary with a replica, and three Sentinels that watch them and have a password of their own."""

    password = "of-the-sentinels-7c2e"

    def __init__(self, folder: Path) -> None:
        self.primary = redis_server(folder / "one")
        self.replica = redis_server(folder / "two", "--replicaof", f"127.0.0.1 {self.primary.port}")
        self.sentinels = [self._sentinel(folder / f"sentinel-{number}") for number in range(3)]

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator["SentinelTrio"]:
        """All five processes, once they know of each other."""
        trio = cls(folder)
        with ExitStack() as stack:
            for server in (trio.primary, trio.replica, *trio.sentinels):
                stack.enter_context(server)
            wait_for_reply(trio.replica.port, "master_link_status:up", "info", "replication")
            for sentinel in trio.sentinels:
                wait_for_reply(sentinel.port, "slaves=1,sentinels=3", *trio.sentinel_login(), "info", "sentinel")
            yield trio

    def settings(self, **changes: Any) -> RedisSettings:
        """Those that lead to the primary, whichever it is."""
        sentinels = tuple(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        base = {"sentinels": sentinels, "sentinel_master": MASTER, "sentinel_password": self.password}
        return RedisSettings.model_validate(base | changes)

    def sentinel_login(self) -> tuple[str, ...]:
        """The words of redis-cli that show the password to a Sentinel."""
        return ("--no-auth-warning", "-a", self.password)

    def notice_within(self, milliseconds: int) -> None:
        """How long a primary may be silent before the Sentinels choose another."""
        for sentinel in self.sentinels:
            words = ("sentinel", "set", MASTER, "down-after-milliseconds", str(milliseconds))
            cli(sentinel.port, *self.sentinel_login(), *words)

    def _sentinel(self, folder: Path) -> ServerProcess:
        port = free_port()
        folder.mkdir(parents=True)
        # A busy machine is no reason to change the primary: a test that wants to see that says so itself.
        (folder / "sentinel.conf").write_text(
            f"port {port}\nbind 127.0.0.1\ndir {folder}\nrequirepass {self.password}\n"
            f"sentinel sentinel-pass {self.password}\n"
            f"sentinel monitor {MASTER} 127.0.0.1 {self.primary.port} 2\n"
            f"sentinel down-after-milliseconds {MASTER} 60000\nsentinel failover-timeout {MASTER} 2000\n"
        )
        command = [find_server("redis-server", hint=HINT), str(folder / "sentinel.conf"), "--sentinel"]
        return ServerProcess(command, port=port, folder=folder)


def cluster_node(folder: Path) -> ServerProcess:
    """A server that can become a node of a Cluster."""
    words = ("--cluster-enabled", "yes", "--cluster-require-full-coverage", "no", "--cluster-node-timeout", "15000")
    # By default the nodes talk on a port that is 10000 higher, which may not exist.
    return redis_server(folder, *words, "--cluster-port", str(free_port()))


@contextmanager
def another_node(cluster: "ClusterOfThree", *, replica_of: ServerProcess | None = None) -> Iterator[ServerProcess]:
    """One more, known to all nodes: a primary without slots, or a replica."""
    with cluster_node(cluster.folder / "node-3") as node:
        words: tuple[str, ...] = ()
        if replica_of is not None:
            words = ("--cluster-slave", "--cluster-master-id", cli(replica_of.port, "cluster", "myid"))
        first = cluster.nodes[0].port
        cli(first, "--cluster", "add-node", f"127.0.0.1:{node.port}", f"127.0.0.1:{first}", *words)
        for known in cluster.nodes:
            wait_for_reply(known.port, f":{node.port}@", "cluster", "nodes")
            wait_for_reply(node.port, f":{known.port}@", "cluster", "nodes")
        wait_for_all_slots(node)
        yield node


class ClusterOfThree:
    """Three primaries that share the slots; where one is down, the others go on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nodes = [cluster_node(folder / f"node-{number}") for number in range(3)]

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator["ClusterOfThree"]:
        """All three, once each knows of all slots."""
        cluster = cls(folder)
        with ExitStack() as stack:
            for node in cluster.nodes:
                stack.enter_context(node)
            addresses = [f"127.0.0.1:{node.port}" for node in cluster.nodes]
            cli(cluster.nodes[0].port, "--cluster", "create", *addresses, "--cluster-yes")
            for node in cluster.nodes:
                wait_for_all_slots(node)
            yield cluster

    def settings(self, **changes: Any) -> RedisSettings:
        """Those that lead to the Cluster through its first node."""
        base = {"cluster": True, "host": "127.0.0.1", "port": self.nodes[0].port}
        return RedisSettings.model_validate(base | changes)

    def owner(self, key: str) -> ServerProcess:
        """The node that has the slot of a key as it lies in Redis."""
        slot = int(cli(self.nodes[0].port, "cluster", "keyslot", key))
        for line in cli(self.nodes[0].port, "cluster", "nodes").splitlines():
            words = line.split()
            for slots in words[8:]:
                first, _, last = slots.partition("-")
                if first.isdigit() and int(first) <= slot <= int(last or first):
                    port = int(words[1].partition("@")[0].rpartition(":")[2])
                    return next(node for node in self.nodes if node.port == port)
        raise LookupError(f"nobody has slot {slot}")


async def until_it_works(call: Callable[[], Awaitable[Any]]) -> Any:
    """The result of the first call that raises no ConnectorError."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await call()
            except ConnectorError:
                await asyncio.sleep(0)


def cache(port: int, **changes: Any) -> RedisCache:
    """A connector, not started, for the server on that port; it tries nothing again."""
    return RedisCache(RedisSettings.model_validate({"host": "127.0.0.1", "port": port, "retries": 0} | changes))
