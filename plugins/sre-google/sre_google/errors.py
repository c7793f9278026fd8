"""What the client library, its transport and Google's own errors mean, as errors of ours.

Imports the library, so only modules that `start` imports may import this one.
"""

from collections.abc import Collection, Mapping
from typing import Any

import aiohttp
from google.auth import exceptions as auth_errors
from google.genai import errors as api_errors

from sre_core.connectors.http_errors import error_for_status
from sre_core.errors import ConfigError, ConnectorError, SREError, UnauthenticatedError, UnavailableError

__all__ = ["FOREIGN", "translated"]

FOREIGN: tuple[type[Exception], ...] = (
    api_errors.APIError,
    aiohttp.ClientError,
    auth_errors.GoogleAuthError,
    # What the library raises over replies that are not of the protocol.
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RuntimeError,
    OSError,
)
"""What a call of the library may raise, besides cancellation."""

_WRONG_KEY = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED"})


def translated(
    error: Exception, *, what: str, where: str, status: int | None, begun: bool, secrets: Collection[str] = ()
) -> SREError:
    """One of FOREIGN as a ConnectorError, or as a ConfigError where the library would not even ask.

    `what` was done, and `where`; `status` is that of the HTTP reply, if one came; `begun` says that a good part of it
    had come before. None of the `secrets` is shown, though a server may quote them.
    """
    if isinstance(error, api_errors.APIError):
        return _refused(error, what, secrets)
    if isinstance(error, auth_errors.GoogleAuthError):
        return _not_let_in(error, what)
    if isinstance(error, aiohttp.ClientConnectionError) and not isinstance(error, aiohttp.ServerDisconnectedError):
        if begun or status is not None:
            return UnavailableError(f"{what}: the connection to {where} broke off", hint="try again")
        return UnavailableError(f"{what}: cannot reach {where}", hint="check the network, and the setting url")
    if begun or isinstance(error, aiohttp.ClientError | OSError):
        return UnavailableError(f"{what}: the reply of {where} broke off", hint="try again")
    if isinstance(error, RuntimeError):
        return UnavailableError(f"{what}: the client is closed, or has no access token", hint="start it again")
    if status is None:
        return ConfigError(f"{what} cannot be done: {error}", hint="check the name of the model")
    if status != 200:
        return error_for_status(status, what)
    return ConnectorError(
        f"{what}: {where} sent what is no answer of this API ({type(error).__name__})", hint="check the setting url"
    )


def _refused(error: api_errors.APIError, what: str, secrets: Collection[str]) -> ConnectorError:
    body = _error_body(error.details)
    details = [item for item in body.get("details") or () if isinstance(item, dict)]
    message = body.get("message")
    text = message if isinstance(message, str) else ""
    if error.code == 400 and (_WRONG_KEY & {str(item.get("reason")) for item in details} or text.startswith("API key")):
        # The text may quote the key.
        return UnauthenticatedError(f"{what} failed: Google does not accept the API key", hint="check the setting key")
    response: Any = error.response
    headers = dict(getattr(response, "headers", None) or {})
    delay = _retry_delay(details)
    if delay is not None and not any(name.lower().startswith("retry-after") for name in headers):
        headers["Retry-After"] = delay
    return error_for_status(error.code, what, detail=text, headers=headers, secrets=secrets)


def _error_body(details: Any) -> Mapping[str, Any]:
    """The object that google.rpc describes; empty where something else came, such as a proxy's page."""
    found = details.get("error") if isinstance(details, dict) else None
    return found if isinstance(found, dict) else {}


def _retry_delay(details: list[dict[str, Any]]) -> str | None:
    """Seconds to wait, "34.07", if google.rpc.RetryInfo says so."""
    for item in details:
        delay = item.get("retryDelay")
        if isinstance(delay, str) and str(item.get("@type", "")).endswith("RetryInfo"):
            return delay.removesuffix("s")
    return None


def _not_let_in(error: auth_errors.GoogleAuthError, what: str) -> ConnectorError:
    # Neither says what its message holds: it may quote the answer of the token server.
    if isinstance(error, auth_errors.TransportError) or error.retryable:
        return UnavailableError(f"{what}: no access token could be fetched", hint="check the network; try again later")
    return UnauthenticatedError(
        f"{what}: Google does not accept the credentials", hint="check the settings credentials and project"
    )
