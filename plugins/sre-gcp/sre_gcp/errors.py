"""Failures of HTTP and of Google's credentials, as our errors; the only place that names theirs."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import aiohttp
from google.auth import exceptions as auth

from sre_core.connectors.http_errors import error_for_status
from sre_core.errors import ConfigError, ConnectorError, DeadlineError, UnauthenticatedError, UnavailableError

__all__ = ["SIGNER_ROLE", "STORAGE_ROLE", "refusal", "slow_tokens", "translated", "translated_credentials"]

SIGNER_ROLE = "give the account the role `roles/iam.serviceAccountTokenCreator` on itself, or use a key"
STORAGE_ROLE = "check the credentials, and that they have the role `roles/storage.objectUser` on the bucket"
_WORD = re.compile(r"[a-z_]{1,40}")


@contextmanager
def translated(what: str, where: str) -> Iterator[None]:
    """Raise what aiohttp raises inside as one of ours: "`what` failed: cannot reach `where`"."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError:
        # Without its cause, here and below: that shows the whole address, and with that of an upload anybody can go on.
        raise _unreachable(what, where, "no connection within connect_timeout") from None
    except aiohttp.ServerTimeoutError as error:
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
        ) from None
    except TimeoutError as error:
        raise _slow(what, where) from error
    except RuntimeError as error:
        # From aiohttp, whose session was closed.
        raise ConnectorError(f"{what} failed: the storage was stopped meanwhile", hint="await start() first") from error


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
        if error.__cause__ is None:
            # An answer that was none: that is how a signature is refused.
            raise UnauthenticatedError("Google refused to sign in the name of the account", hint=SIGNER_ROLE) from error
        raise _no_tokens() from error
    except auth.GoogleAuthError as error:
        if isinstance(error.__cause__, auth.TransportError):
            raise _no_tokens() from error
        # Without their cause, which may quote what was sent.
        if error.retryable:
            raise UnavailableError("Google's service for tokens cannot answer now", hint="try again later") from None
        raise UnauthenticatedError(f"Google refused the credentials{_word(error)}", hint=STORAGE_ROLE) from None


def refusal(response: aiohttp.ClientResponse, body: bytes, what: str, *, role: str) -> ConnectorError:
    """The error that a reply of status 300 or above stands for. `role` tells what credentials need that it refuses."""
    hint = role if response.status in {401, 403} else None
    token = response.request_info.headers.get("Authorization", "").removeprefix("Bearer ")
    return error_for_status(
        response.status, what, detail=_detail(body), headers=response.headers, hint=hint, secrets=[token]
    )


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


def _word(error: auth.GoogleAuthError) -> str:
    """What OAuth calls the fault, as in "invalid_grant", which also stands for a clock that is wrong."""
    told = error.args[1] if len(error.args) > 1 else None
    word = told.get("error") if isinstance(told, Mapping) else None
    return f": {word}" if isinstance(word, str) and _WORD.fullmatch(word) else ""


def _no_tokens() -> UnavailableError:
    return UnavailableError("Google's service for tokens cannot be reached", hint="check the network, and try again")


def slow_tokens() -> DeadlineError:
    """The error of a service for tokens that says nothing."""
    return DeadlineError(
        "Google's service for tokens did not answer in time", hint="raise the setting `timeout`, or try again later"
    )


def _slow(what: str, where: str) -> DeadlineError:
    return DeadlineError(
        f"{what} failed: {where} did not answer in time", hint="raise the setting `timeout`, or try again later"
    )
