"""The client that the settings ask for, by means of redis-py, which tries nothing again by itself.

This module imports the driver; only `start` leads here.
"""

import asyncio
from functools import partial
from typing import Any

from redis.asyncio.connection import UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from sre_redis.client import Client, ServerClient
from sre_redis.cluster import open_cluster
from sre_redis.sentinel import open_sentinel
from sre_redis.settings import RedisSettings
from sre_redis.tls import connection_class, read_files

__all__ = ["open_client"]


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
    shared = await asyncio.to_thread(read_files, settings) if wants_tls else None
    if settings.cluster:
        return open_cluster(settings, options, shared if address.tls else None)
    options["db"] = address.db
    if settings.sentinels:
        return open_sentinel(settings, options, shared)
    if address.path is not None:
        return ServerClient(partial(UnixDomainSocketConnection, path=address.path, **options))
    kind, extra = connection_class(shared)
    return ServerClient(partial(kind, host=address.host, port=address.port, **extra, **options))
