"""One server, the primary of Sentinels, and a Cluster, by means of redis-py, which tries nothing again by itself.

This module imports the driver; only `start` leads here.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    RedisSSLContext,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection
from redis.backoff import NoBackoff
from redis.cluster import PRIMARY
from redis.exceptions import RedisClusterException, RedisError

from sre_core.errors import ConfigError
from sre_redis.connections import Connections
from sre_redis.settings import RedisSettings

__all__ = ["Client", "open_client"]


class _SharedTLS(SSLConnection):
    """Uses a context that was made before: redis-py reads all authorities anew for each connection, 20 ms each."""

    def __init__(self, *, shared: RedisSSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context = shared


class _SentinelTLS(SentinelManagedConnection, _SharedTLS):
    """TLS to the primary that Sentinels name."""


class Client:
    """One server."""

    def __init__(self, make: Callable[[], AbstractConnection]) -> None:
        self._connections = Connections(make)
        self.execute: Callable[..., Awaitable[Any]] = self._connections.execute

    async def ping(self) -> None:
        """Ask for an answer."""
        await self.execute("PING")

    async def recover(self, error: Exception) -> None:
        """Get ready for another attempt after `error`."""

    async def close(self) -> None:
        """Close all connections; calls that are under way fail, and may open others until they do."""
        await self._connections.close()


class _Primary(SentinelConnectionPool):
    """Where the primary is. The connections that it makes ask it, and it asks the Sentinels, once for all of them."""

    on_change: Callable[[], Awaitable[None]]
    _question: "asyncio.Task[tuple[str, int]] | None" = None

    async def get_master_address(self) -> tuple[str, int]:
        """The answer to a question that is under way, or to a new one."""
        if self._question is None or self._question.done():
            self._question = asyncio.create_task(self._ask())
            # Whoever asked may have been cancelled, and want no answer any more.
            self._question.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._question)

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 -- redis-py's signature
        """redis-py calls this when the Sentinels name another primary than before."""
        await self.on_change()

    async def close(self) -> None:
        """Give up the question that is under way."""
        if self._question is not None:
            self._question.cancel()
            await asyncio.wait({self._question})

    async def _ask(self) -> tuple[str, int]:
        found: tuple[str, int] = await super().get_master_address()  # type: ignore[no-untyped-call]
        return found


class _SentinelClient(Client):
    """The primary that Sentinels name."""

    def __init__(self, pool: _Primary, sentinel: Sentinel) -> None:
        super().__init__(pool.make_connection)
        pool.on_change = self._connections.leave
        self._pool = pool
        self._sentinel = sentinel

    async def close(self) -> None:
        """Close all connections, to the Sentinels as well."""
        await super().close()
        await self._pool.close()
        with suppress(RedisError, OSError):
            await self._sentinel.aclose()


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
        self.execute: Callable[..., Awaitable[Any]] = cluster.execute_command
        self._cluster = cluster

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


async def open_client(settings: RedisSettings) -> Client:
    """The client that the settings ask for; it connects when it is used first. Raises ConfigError."""
    address = settings.address
    options: dict[str, Any] = {
        "username": settings.username,
        "password": settings.password.get_secret_value() if settings.password is not None else None,
        # One deadline for the whole call takes its place, which costs less and cannot swallow a cancellation.
        "socket_timeout": None,
        "socket_connect_timeout": settings.connect_timeout,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    wants_tls = address.tls or (bool(settings.sentinels) and bool(settings.sentinel_tls))
    shared = await asyncio.to_thread(_tls, settings) if wants_tls else None
    if settings.cluster:
        return _ClusterClient(_cluster(settings, options, shared if address.tls else None))
    options["db"] = address.db
    if settings.sentinels:
        return _sentinel(settings, options, shared)
    if address.path is not None:
        return Client(partial(UnixDomainSocketConnection, path=address.path, **options))
    kind, extra = _connection(shared)
    return Client(partial(kind, host=address.host, port=address.port, **extra, **options))


def _tls(settings: RedisSettings) -> RedisSSLContext:
    try:
        found = RedisSSLContext(
            keyfile=None if settings.key_file is None else str(settings.key_file),
            certfile=None if settings.cert_file is None else str(settings.cert_file),
            ca_certs=None if settings.ca_file is None else str(settings.ca_file),
            cert_reqs=ssl.CERT_REQUIRED if settings.verify else ssl.CERT_NONE,
            check_hostname=settings.verify,
        )
        found.get()
    except OSError as error:
        raise ConfigError(
            f"the TLS files of {settings.place} cannot be used: {error.strerror or type(error).__name__}",
            hint="ca_file, cert_file and key_file should be readable files in PEM form, cert and key a pair",
        ) from error
    return found


def _connection(shared: RedisSSLContext | None) -> tuple[type[Connection], dict[str, Any]]:
    """The class of a connection, and what it takes besides."""
    return (Connection, {}) if shared is None else (_SharedTLS, {"shared": shared})


def _sentinel(settings: RedisSettings, options: dict[str, Any], shared: RedisSSLContext | None) -> Client:
    secret = settings.sentinel_password
    tls = settings.address.tls
    kind, extra = _connection(shared if (tls if settings.sentinel_tls is None else settings.sentinel_tls) else None)
    theirs = options | {
        "username": settings.sentinel_username,
        "password": None if secret is None else secret.get_secret_value(),
        "db": 0,
        "connection_class": kind,
        # One that hangs must leave time to ask the next.
        "socket_timeout": settings.connect_timeout,
    }
    manager = Sentinel([])  # type: ignore[no-untyped-call]
    manager.sentinels = [
        Redis.from_pool(ConnectionPool(host=host, port=port, **theirs, **extra))
        for host, port in settings.sentinel_endpoints
    ]
    ours = {"connection_class": _SentinelTLS, "shared": shared} if tls else {}
    pool = _Primary(settings.sentinel_master, manager, **options, **ours)  # type: ignore[no-untyped-call]
    return _SentinelClient(pool, manager)


def _cluster(settings: RedisSettings, options: dict[str, Any], shared: RedisSSLContext | None) -> RedisCluster:
    # A node that hangs must be found out, since another one may have taken its place.
    options |= {"socket_timeout": settings.timeout / 2}
    cluster = _Cluster(
        startup_nodes=[ClusterNode(host, port) for host, port in settings.cluster_endpoints],
        # Slots that nobody has concern only the keys that lie there.
        require_full_coverage=False,
        # Twice as many as calls: a connection that is being closed in the background still counts.
        max_connections=2 * settings.pool_size,
        **options,
    )
    if shared is not None:
        # It takes no class of connections, so it gets ours afterwards: for nodes to come, and for those it has.
        cluster.connection_kwargs |= {"connection_class": _SharedTLS, "shared": shared}
        for node in cluster.startup_nodes:
            node.connection_class = _SharedTLS
            node.connection_kwargs["shared"] = shared
    return cluster
