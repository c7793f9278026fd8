"""Errors of aiohttp as ours, in one place."""

import aiohttp

from sre_core.errors import ConfigError, ConnectorError, DeadlineError, SREError, UnavailableError

__all__ = ["FOREIGN", "cause", "translated"]


FOREIGN = (aiohttp.ClientError, OSError)
"""What aiohttp raises."""


def cause(error: Exception) -> Exception | None:
    """What may stand behind our error: not what holds the headers that were sent, or repeats what the server said."""
    return None if isinstance(error, aiohttp.ClientResponseError) else error


def translated(error: Exception, what: str, timeout: float) -> SREError:
    """One of FOREIGN as one of ours; `what` was done, and where.

    `timeout`, in seconds, is how long the server may be silent.
    """
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return ConnectorError(
                f"{what}: the certificate of the server is not trusted",
                hint="check `url`; a private authority must be known to the system",
            )
        case aiohttp.ConnectionTimeoutError():
            return UnavailableError(
                f"{what}: the server did not accept a connection in time",
                hint="check `url` and the network, or raise `connect_timeout`",
            )
        case TimeoutError():
            return DeadlineError(
                f"{what}: the server was silent for {timeout:g} s", hint="raise `timeout`, or try again later"
            )
        case aiohttp.InvalidURL():
            return ConfigError(f"{what}: the URL of the connector is not valid", hint="correct `url`")
        case aiohttp.ClientConnectorError():
            return UnavailableError(
                f"{what}: the server cannot be reached", hint="check `url`, and whether the server runs"
            )
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError() | OSError():
            return UnavailableError(f"{what}: the server broke the connection off", hint="try again")
    return ConnectorError(f"{what}: the server does not speak HTTP as it should ({type(error).__name__})")
