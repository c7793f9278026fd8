"""A Cluster. This module imports the driver; only `start` leads here."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import Connection, RedisSSLContext
from redis.cluster import PRIMARY
from redis.exceptions import RedisClusterException, RedisError
from redis.exceptions import TimeoutError as NoAnswerError

from sre_redis.client import Client
from sre_redis.settings import RedisSettings
from sre_redis.tls import SharedTLS

__all__ = ["open_cluster"]


class _NodeConnection(Connection):
    """Waits for an answer for `patience` seconds at most.

    With a time-out of redis-py's own, each command would be written in a task of its own, and Python 3.11 can lose a
    cancellation there.
    """

    def __init__(self, *, patience: float, **options: Any) -> None:
        super().__init__(**options)
        self._patience = patience

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """One answer."""
        try:
            async with asyncio.timeout(self._patience):
                return await super().read_response(*args, **options)
        except TimeoutError as error:
            raise NoAnswerError(f"Timeout reading from {self.host}:{self.port}") from error


class _NodeTLS(_NodeConnection, SharedTLS):
    """The same, with TLS."""


class _LastFirst(deque[Connection]):
    """Connections of which the one that was used last is used next."""

    def popleft(self) -> Connection:
        """The last one."""
        return self.pop()


class _Cluster(RedisCluster):
    """redis-py's, that goes where ASK leads while a slot is moved."""

    def get_node(self, host: str | None = None, port: int | None = None, node_name: str | None = None) -> ClusterNode:
        """The node that ASK names, which may be a new one that has no slot yet.

        redis-py says ASKING to it on one connection, and sends the command on another one, where it counts for
        nothing: the node is made to give the same one twice.
        """
        found: ClusterNode | None = super().get_node(host, port, node_name)
        if found is None:
            host, _, number = (node_name or f"{host}:{port}").rpartition(":")
            found = ClusterNode(host, int(number), PRIMARY, **self.nodes_manager.connection_kwargs)
            self.nodes_manager.set_nodes(self.nodes_manager.nodes_cache, {found.name: found})
        if not isinstance(found._free, _LastFirst):  # noqa: SLF001 -- it has no other handle
            found._free = _LastFirst(found._free, found.max_connections)  # noqa: SLF001
        return found


class _ClusterClient(Client):
    """A Cluster: redis-py knows which node has which slot, and follows where slots are moved."""

    def __init__(self, cluster: RedisCluster) -> None:
        self._cluster = cluster

    async def execute(self, *command: str | bytes | int) -> Any:
        """The reply of the node that has the key."""
        return await self._cluster.execute_command(*command)

    async def ping(self) -> None:
        """Ask each primary, one after the other: redis-py would ask all at once, and leave tasks behind."""
        await self._cluster.initialize()
        for node in self._cluster.get_primaries():
            await self._cluster.execute_command("PING", target_nodes=node)

    async def recover(self, error: Exception) -> None:
        """After a failure of all nodes that were found, begin again with those that are configured."""
        if isinstance(error, RedisClusterException):
            known = self._cluster.nodes_manager.startup_nodes
            for node in self._cluster.startup_nodes:
                known.setdefault(node.name, node)

    async def close(self) -> None:
        """Close all connections to all nodes."""
        nodes = self._cluster.nodes_manager
        # RedisCluster.aclose does nothing after a lost connection, when it means to look for its nodes again.
        for close in (self._cluster.aclose, nodes.aclose, lambda: nodes.aclose("startup_nodes")):
            with suppress(RedisError, OSError):
                await close()


def open_cluster(settings: RedisSettings, options: dict[str, Any], shared: RedisSSLContext | None) -> Client:
    """The client of the Cluster. `options` are for all connections, `shared` for those with TLS."""
    cluster = _Cluster(
        startup_nodes=[ClusterNode(host, port) for host, port in settings.cluster_endpoints],
        # Slots that nobody has concern only the keys that lie there.
        require_full_coverage=False,
        # Twice as many as calls: a connection that is being closed in the background still counts.
        max_connections=2 * settings.pool_size,
        **options,
    )
    # A node that hangs must be found out, since another one may have taken its place.
    extra: dict[str, Any] = {"patience": settings.timeout / 2} | ({} if shared is None else {"shared": shared})
    # It takes no class of connections, so it gets ours afterwards: for nodes to come, and for those it has.
    kind = _NodeConnection if shared is None else _NodeTLS
    cluster.connection_kwargs |= {"connection_class": kind, **extra}
    for node in cluster.startup_nodes:
        node.connection_class = kind
        node.connection_kwargs |= extra
    return _ClusterClient(cluster)
