"""Failures of HTTP and of Google's credentials, as our errors; the only place that names theirs."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from google.auth import exceptions as auth

from sre_core.connectors.http_errors import error_for_status
from sre_core.errors import ConfigError, ConnectorError, DeadlineError, UnauthenticatedError, UnavailableError

__all__ = ["refusal", "translated", "translated_credentials"]

_ROLE = "check the credentials, and that they have the role `roles/storage.objectUser` on the bucket"


@contextmanager
def translated(what: str, where: str) -> Iterator[None]:
    """Raise what aiohttp raises inside as one of ours: "`what` failed: cannot reach `where`"."""
    try:
        yield
    except aiohttp.ServerTimeoutError as error:
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            raise _unreachable(what, where, "no connection within connect_timeout") from error
        raise _slow(what, where) from error
    except aiohttp.InvalidURL as error:
        raise ConfigError(f"{where} is no place to send requests to", hint="check the setting `endpoint`") from error
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError) as error:
        raise ConfigError(
            f"{what} failed: no TLS with {where} ({type(error).__name__})",
            hint="set ca_file to the authority that signed its certificate; a server without TLS has http://",
        ) from error
    except aiohttp.ClientConnectorError as error:
        raise _unreachable(what, where, str(error.os_error) or type(error.os_error).__name__) from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
        raise UnavailableError(
            f"{what} failed: {where} broke the connection off ({type(error).__name__})", hint="try again"
        ) from error
    except aiohttp.ClientError as error:
        raise ConnectorError(
            f"{what} failed: {where} does not speak HTTP ({type(error).__name__})", hint="check the setting `endpoint`"
        ) from error
    except TimeoutError as error:
        raise _slow(what, where) from error


@contextmanager
def translated_credentials() -> Iterator[None]:
    """Raise what Google's credentials raise inside as one of ours, without their words: they may quote a secret."""
    try:
        yield
    except auth.DefaultCredentialsError as error:
        raise UnauthenticatedError(
            "this machine offers no Google credentials",
            hint="set `key`, `key_file` or GOOGLE_APPLICATION_CREDENTIALS, or run "
            "`gcloud auth application-default login`",
        ) from error
    except auth.TransportError as error:
        raise UnavailableError(
            "Google's service for tokens cannot be reached", hint="check the network, and try again"
        ) from error
    except auth.GoogleAuthError as error:
        if error.retryable:
            raise UnavailableError("Google's service for tokens cannot answer now", hint="try again later") from error
        raise UnauthenticatedError("Google refused the credentials", hint=_ROLE) from error


def refusal(response: aiohttp.ClientResponse, body: bytes, what: str) -> ConnectorError:
    """The error that a reply of status 300 or above stands for."""
    hint = _ROLE if response.status in {401, 403} else None
    return error_for_status(response.status, what, detail=_detail(body), headers=response.headers, hint=hint)


def _detail(body: bytes) -> str:
    """What Google says of an error; nothing of what a proxy sends."""
    try:
        said = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return ""
    return said if isinstance(said, str) else ""


def _unreachable(what: str, where: str, why: str) -> UnavailableError:
    return UnavailableError(
        f"{what} failed: cannot reach {where}: {why}", hint="check the network and the setting `endpoint`"
    )


def _slow(what: str, where: str) -> DeadlineError:
    return DeadlineError(
        f"{what} failed: {where} did not answer in time", hint="raise the setting `timeout`, or try again later"
    )
