"""Errors of aiohttp as ours, in one place."""

from types import TracebackType

import aiohttp

from sre_core.errors import ConfigError, ConnectorError, DeadlineError, SREError, UnavailableError

__all__ = ["Translated"]


class Translated:
    """A context in which what aiohttp raises becomes one of our errors. Cancellation passes.

    A class, since `contextmanager` costs more than the rest of it.
    """

    __slots__ = ("_timeout", "_what")

    def __init__(self, what: str, timeout: float) -> None:
        """`what` was done, and where; `timeout` in seconds is how long silence may last."""
        self._what = what
        self._timeout = timeout

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, aiohttp.ClientError | OSError) and not isinstance(error, SREError):
            raise self._ours(error) from error

    def _ours(self, error: Exception) -> SREError:
        what = self._what
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
                    f"{what}: the server was silent for {self._timeout:g} s", hint="raise `timeout`, or try again later"
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
