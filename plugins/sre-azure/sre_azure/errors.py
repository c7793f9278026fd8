"""Failures of Azure's client library as our errors; the only place that names theirs."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import aiohttp
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)

from sre_core.connectors.http_errors import error_for_status
from sre_core.errors import (
    ConfigError,
    ConflictError,
    ConnectorError,
    DeadlineError,
    NotFoundError,
    SREError,
    UnauthenticatedError,
    UnavailableError,
)

__all__ = ["means_container", "no_token", "token_failure", "token_refusal", "translated"]

_ROLE = "check the credentials, and that they may read, write, list and delete blobs in the container"
_WHO = "check the network, and which identity this machine has"
_ASKING = "asking for a token"
_SECRET = re.compile(r"\bsig=|'authorization'", re.IGNORECASE)
_NO_CONTAINER = frozenset({"ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled"})
_REPLACED = frozenset({"InvalidBlockList", "InvalidBlobOrBlock"})
"""What a commit fails with when somebody else wrote the blob, which takes the blocks of all others away."""


@contextmanager
def translated(what: str, where: str) -> Iterator[None]:
    """Raise what Azure's library raises inside as one of ours: "`what` failed: cannot reach `where`"."""
    try:
        yield
    except SREError:
        raise
    except AzureError as error:
        raise _ours(error, what, where) from (None if _shows_secret(error) else error)
    except TimeoutError as error:
        raise _slow(what, where) from error
    except RuntimeError as error:
        # From aiohttp, whose session was closed.
        raise ConnectorError(f"{what} failed: the storage was stopped meanwhile", hint="await start() first") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # From inside their library, which takes a reply for what it should be.
        raise ConnectorError(
            f"{what} failed: the reply is none of Azure Blob Storage ({type(error).__name__})",
            hint="check the setting `endpoint`",
        ) from error


def _shows_secret(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, quotes a request with its signature or token, as some of aiohttp's do."""
    while error is not None:
        if _SECRET.search(f"{error} {error!r}"):
            return True
        error = error.__cause__ or error.__context__
    return False


def means_container(error: NotFoundError) -> bool:
    """Whether it is the container that was not found, and not a blob."""
    cause = error.__cause__
    return isinstance(cause, HttpResponseError) and _code(cause) in _NO_CONTAINER


def no_token() -> SREError:
    """The error of a machine that gets no token, and will not get one later."""
    return UnauthenticatedError(f"{_ASKING} failed: the credentials cannot be used", hint=_WHO)


def token_failure(error: AzureError, where: str, *, guessed: bool) -> SREError | None:
    """What a request for a token failed with. None when `where` is a guess, and nobody is there."""
    if guessed and isinstance(error, ServiceRequestError):
        return None
    failure = _ours(error, _ASKING, where)
    return UnavailableError(str(failure), hint=_WHO) if isinstance(failure, UnavailableError) else failure


def token_refusal(status: int, where: str, headers: Mapping[str, str]) -> SREError | None:
    """What the status of a reply with a token means. None when it is one, or when asking again will not help."""
    failure = error_for_status(status, _ASKING, headers=headers, hint=f"{where} is busy, try again later")
    return failure if failure.retryable else None


def _ours(error: AzureError, what: str, where: str) -> SREError:
    # Theirs wraps what broke a download off.
    cause = error.inner_exception if _without_reply(error) else error
    match cause:
        case ServiceRequestTimeoutError():
            return _unreachable(what, where, "no connection within connect_timeout")
        case ServiceResponseTimeoutError():
            return _slow(what, where)
        case IncompleteReadError() | ServiceResponseError():
            return UnavailableError(f"{what} failed: {where} broke the connection off", hint="try again")
        case ServiceRequestError() if isinstance(
            cause.inner_exception, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError
        ):
            return ConfigError(
                f"{what} failed: no TLS with {where} ({type(cause.inner_exception).__name__})",
                hint="set ca_file to the authority that signed its certificate; a server without TLS has http://",
            )
        case ServiceRequestError() if isinstance(cause.inner_exception, aiohttp.ClientConnectorError):
            why = cause.inner_exception.os_error
            return _unreachable(what, where, str(why) or type(why).__name__)
        case ServiceRequestError():
            return _unreachable(what, where, type(cause.inner_exception).__name__)
        case ClientAuthenticationError() if cause.response is None:
            return UnauthenticatedError(f"{what} failed: the credentials cannot be used", hint=_ROLE)
        case DecodeError():
            return ConnectorError(
                f"{what} failed: the reply is none of Azure Blob Storage", hint="check the setting `endpoint`"
            )
        case HttpResponseError() if cause.status_code is not None:
            return _refusal(cause, what, where)
        case _:
            return ConnectorError(f"{what} failed: {type(error).__name__}", hint="its cause tells more; use --debug")


def _without_reply(error: AzureError) -> bool:
    return type(error) is HttpResponseError and error.response is None and error.inner_exception is not None


def _refusal(error: HttpResponseError, what: str, where: str) -> ConnectorError:
    status, code = error.status_code or 0, _code(error)
    if code in _NO_CONTAINER:
        return NotFoundError(f"there is no {where}", hint="make it, or check `container`")
    if code in _REPLACED:
        return ConflictError(f"{what} failed: it was written by somebody else meanwhile", hint="write it again")
    if status < 300:
        return ConnectorError(f"{what} failed: the reply is none of Azure Blob Storage", hint="check `endpoint`")
    hint = _ROLE if status in {401, 403} else None
    return error_for_status(status, what, detail=code, headers=_headers(error), hint=hint)


def _headers(error: HttpResponseError) -> Mapping[str, str]:
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    return headers


def _code(error: HttpResponseError) -> str:
    """The word that Azure has for what was wrong, if the reply is one of Azure's."""
    return _headers(error).get("x-ms-error-code", "")


def _unreachable(what: str, where: str, why: str) -> UnavailableError:
    return UnavailableError(
        f"{what} failed: cannot reach {where}: {why}", hint="check the network and the setting `endpoint`"
    )


def _slow(what: str, where: str) -> DeadlineError:
    return DeadlineError(
        f"{what} failed: {where} did not answer in time", hint="raise the setting `timeout`, or try again later"
    )
