"""TLS for connections of redis-py. This module imports the driver; only `start` leads here."""

import ssl
from typing import Any

from redis.asyncio.connection import Connection, RedisSSLContext, SSLConnection

from sre_core.errors import ConfigError
from sre_redis.settings import RedisSettings

__all__ = ["SharedTLS", "connection_class", "read_files"]


class SharedTLS(SSLConnection):
    """Uses a context that was made before: redis-py reads all authorities anew for each connection, 20 ms each."""

    def __init__(self, *, shared: RedisSSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context = shared


def connection_class(shared: RedisSSLContext | None) -> tuple[type[Connection], dict[str, Any]]:
    """The class of a connection, and what it takes besides."""
    return (Connection, {}) if shared is None else (SharedTLS, {"shared": shared})


def read_files(settings: RedisSettings) -> RedisSSLContext:
    """What the TLS settings say, for all connections to share. Raises ConfigError."""
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
