"""What the client library, its transport and the API's own errors mean, as errors of ours.

Imports the library, so only modules that `start` imports may import this one.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import aiohttp
import anthropic
import httpx2

from sre_anthropic.response import StreamError
from sre_core.connectors.http_errors import error_for_status
from sre_core.errors import ConnectorError, DeadlineError, UnauthenticatedError, UnavailableError

__all__ = ["translating"]

_FOREIGN: tuple[type[Exception], ...] = (
    anthropic.AnthropicError,
    httpx2.HTTPError,
    httpx2.StreamError,
    httpx2.InvalidURL,
    aiohttp.ClientError,
    StreamError,
    # What comes of replies that are not of the protocol, and of a client that was closed.
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a call may raise, besides cancellation."""

_STATUS: Mapping[str, int] = {
    "api_error": 500,
    "authentication_error": 401,
    "billing_error": 402,
    "conflict_error": 409,
    "invalid_request_error": 400,
    "not_found_error": 404,
    "overloaded_error": 529,
    "permission_error": 403,
    "rate_limit_error": 429,
    "request_too_large": 413,
    "timeout_error": 504,
}
"""The status that an error has when it comes before the reply."""

_MODEL_HINT = "check the name of the model: `sre models list` shows those of the catalogue, and the setting url"
_CUT_HISTORY = "bound to a different conversation"


@contextmanager
def translating(what: str, where: str, secrets: Collection[str] = ()) -> Iterator[None]:
    """Raise what goes wrong as ConnectorErrors; `what` is done, and `where` the API is, as "api.anthropic.com:443".

    None of the `secrets` is shown, though a server may quote them.
    """
    try:
        yield
    except _FOREIGN as error:
        ours = _translated(error, what, where, secrets)
        quotes = isinstance(ours, UnauthenticatedError) or any(secret in str(error) for secret in secrets)
        raise ours from (None if quotes else error)


def _translated(error: Exception, what: str, where: str, secrets: Collection[str]) -> ConnectorError:
    match error:
        case StreamError():
            status, hint = _STATUS.get(error.kind, 500), _hint(error.message)
            return error_for_status(status, what, detail=error.message, hint=hint, secrets=secrets)
        case anthropic.APIStatusError():
            return _refused(error, what, secrets)
        case anthropic.APITimeoutError() | httpx2.TimeoutException():
            return _late(error, what, where)
        case anthropic.APIConnectionError():
            return _unreachable(error, what, where)
        case httpx2.HTTPError() | httpx2.StreamError() | aiohttp.ClientError() | OSError():
            return UnavailableError(f"{what}: the reply of {where} broke off", hint="try again")
        case RuntimeError():
            return UnavailableError(f"{what}: the client is closed", hint="start the connector again")
    return ConnectorError(
        f"{what}: {where} sent what is no answer of this API ({type(error).__name__})", hint="check the setting url"
    )


def _refused(error: anthropic.APIStatusError, what: str, secrets: Collection[str]) -> ConnectorError:
    # Proxies answer with pages, which say nothing that the status does not.
    found = error.api_message if isinstance(error.api_message, str) else _plain_text(error.body)
    detail = f"{found} ({error.request_id})" if found and error.request_id else found
    hint = _MODEL_HINT if error.status_code == 404 else _hint(found)
    headers = error.response.headers
    return error_for_status(error.status_code, what, detail=detail, headers=headers, hint=hint, secrets=secrets)


def _plain_text(body: Any) -> str:
    """What a server says that does not speak this API's own errors."""
    if isinstance(body, dict):
        inner = body.get("error", body)
        text = inner.get("message") if isinstance(inner, dict) else inner
        return text if isinstance(text, str) else ""
    return body if isinstance(body, str) and "<" not in body else ""


def _hint(message: str) -> str | None:
    if _CUT_HISTORY not in message:
        return None
    return 'begin a new conversation, or set changed_history = "drop" and ask with thinking=True'


def _late(error: Exception, what: str, where: str) -> ConnectorError:
    cause = error if isinstance(error, httpx2.HTTPError) else error.__cause__
    if isinstance(cause, httpx2.ConnectTimeout | httpx2.PoolTimeout):
        return UnavailableError(f"{what}: {where} does not accept the connection in time", hint="try again later")
    return DeadlineError(f"{what}: {where} fell silent", hint="raise the setting timeout, or try again later")


def _unreachable(error: Exception, what: str, where: str) -> ConnectorError:
    cause = error.__cause__
    if isinstance(cause, httpx2.ReadError) or isinstance(
        cause.__cause__ if cause else None, aiohttp.ServerDisconnectedError
    ):
        return UnavailableError(f"{what}: {where} hung up", hint="try again")
    if isinstance(cause, aiohttp.ClientResponseError | httpx2.ProtocolError):
        return ConnectorError(f"{what}: {where} does not speak HTTP", hint="check the setting url")
    return UnavailableError(f"{what}: cannot reach {where}", hint="check the network, and the setting url")
