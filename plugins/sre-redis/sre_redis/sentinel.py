"""The primary that Sentinels name. This module imports the driver; only `start` leads here."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import ConnectionPool, RedisSSLContext
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection
from redis.exceptions import RedisError

from sre_redis.client import Client, ServerClient
from sre_redis.settings import RedisSettings
from sre_redis.tls import SharedTLS, connection_class

__all__ = ["open_sentinel"]


class _SentinelTLS(SentinelManagedConnection, SharedTLS):
    """TLS to the primary that Sentinels name."""


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


class _SentinelClient(ServerClient):
    """The primary that Sentinels name."""

    def __init__(self, pool: _Primary, sentinel: Sentinel) -> None:
        super().__init__(pool.make_connection)
        pool.on_change = self.leave
        self._pool = pool
        self._sentinel = sentinel

    async def close(self) -> None:
        """Close all connections, to the Sentinels as well."""
        await super().close()
        await self._pool.close()
        with suppress(RedisError, OSError):
            await self._sentinel.aclose()


def open_sentinel(settings: RedisSettings, options: dict[str, Any], shared: RedisSSLContext | None) -> Client:
    """The client of the primary. `options` are for all connections, `shared` for those with TLS."""
    secret = settings.sentinel_password
    tls = settings.address.tls
    kind, extra = connection_class(
        shared if (tls if settings.sentinel_tls is None else settings.sentinel_tls) else None
    )
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
