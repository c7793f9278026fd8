"""The clients of redis-py for one server, Sentinel and Cluster, each without retries of its own.

This module imports the driver; only `start` leads here.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import (
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    RedisSSLContext,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError, RedisClusterException, RedisError

from sre_core.errors import ConfigError
from sre_redis.settings import RedisSettings

__all__ = ["Client", "open_client"]

_SENTINEL_CONNECTIONS = 8


class _SharedTLS(SSLConnection):
    """Uses a context that was made before: redis-py reads all authorities anew for each connection, 20 ms each."""

    def __init__(self, *, shared: RedisSSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context = shared


class _SentinelTLS(SentinelManagedConnection, _SharedTLS):
    """TLS to the primary that Sentinels name."""


class Client:
    """One server, or the primary that Sentinels name."""

    def __init__(self, redis: Redis, sentinel: Sentinel | None = None) -> None:
        self.execute: Callable[..., Awaitable[Any]] = redis.execute_command
        self._redis = redis
        self._sentinel = sentinel

    async def ping(self) -> None:
        """Ask for an answer."""
        await self.execute("PING")

    async def recover(self, error: Exception) -> None:
        """Get ready for another attempt after `error`."""
        if isinstance(error, ReadOnlyError):
            # The primary was demoted; its name may lead to another server by now, old connections never will.
            await self._redis.connection_pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        """Close all connections. What fails then is closed as well."""
        with suppress(RedisError, OSError):
            await self._redis.aclose()
        if self._sentinel is not None:
            with suppress(RedisError, OSError):
                await self._sentinel.aclose()


class _ClusterClient(Client):
    """A Cluster: redis-py knows which node has which slot, and follows where slots are moved."""

    def __init__(self, cluster: RedisCluster) -> None:
        self.execute: Callable[..., Awaitable[Any]] = cluster.execute_command
        self._cluster = cluster

    async def ping(self) -> None:
        """Ask each primary."""
        await self.execute("PING", target_nodes=RedisCluster.PRIMARIES)

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
    options |= {"db": address.db, "max_connections": settings.pool_size}
    if settings.sentinels:
        return _sentinel(settings, options, shared)
    if address.path is not None:
        pool = ConnectionPool(connection_class=UnixDomainSocketConnection, path=address.path, **options)
    else:
        pool = ConnectionPool(host=address.host, port=address.port, **_connection(shared), **options)
    return Client(Redis.from_pool(pool))


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


def _connection(shared: RedisSSLContext | None) -> dict[str, Any]:
    if shared is None:
        return {"connection_class": Connection}
    return {"connection_class": _SharedTLS, "shared": shared}


def _sentinel(settings: RedisSettings, options: dict[str, Any], shared: RedisSSLContext | None) -> Client:
    secret = settings.sentinel_password
    tls = settings.address.tls
    theirs = options | {
        "username": settings.sentinel_username,
        "password": None if secret is None else secret.get_secret_value(),
        "db": 0,
        "max_connections": _SENTINEL_CONNECTIONS,
        # Two hundred connections that are made at once have one question, which takes no 200 connections to ask.
        "timeout": None,
    }
    theirs |= _connection(shared if (tls if settings.sentinel_tls is None else settings.sentinel_tls) else None)
    manager = Sentinel([])  # type: ignore[no-untyped-call]
    manager.sentinels = [
        Redis.from_pool(BlockingConnectionPool(host=host, port=port, **theirs))
        for host, port in settings.sentinel_endpoints
    ]
    if tls:
        options |= {"connection_class": _SentinelTLS, "shared": shared}
    else:
        options |= {"connection_class": SentinelManagedConnection}
    pool = SentinelConnectionPool(settings.sentinel_master, manager, **options)  # type: ignore[no-untyped-call]
    return Client(Redis.from_pool(pool), manager)


def _cluster(settings: RedisSettings, options: dict[str, Any], shared: RedisSSLContext | None) -> RedisCluster:
    cluster = RedisCluster(
        startup_nodes=[ClusterNode(host, port) for host, port in settings.cluster_endpoints],
        # Slots that nobody has concern only the keys that lie there.
        require_full_coverage=False,
        # Twice as many as calls: a connection that is being closed in the background still counts.
        max_connections=2 * settings.pool_size,
        **options,
    )
    if shared is not None:
        # It takes no class of connections, so it gets ours afterwards: for nodes to come, and for those it has.
        changed = _connection(shared)
        cluster.connection_kwargs |= changed
        for node in cluster.startup_nodes:
            node.connection_class = changed["connection_class"]
            node.connection_kwargs["shared"] = shared
    return cluster
