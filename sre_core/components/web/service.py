"""Calls of web services that answer in JSON, with a key that no error repeats."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from sre_core.components.context import ComponentContext
from sre_core.components.http_client import HTTPReply
from sre_core.errors import ComponentError, RateLimitedError, SREError, UnauthenticatedError, UnavailableError

__all__ = ["ask"]

_DETAILS = ("message", "detail", "error", "reason")
_LONGEST = 300
_PLAIN = "!$'()*,:;@/?"
"""What some leave as it is in a query."""


async def ask(
    context: ComponentContext,
    method: str,
    url: str,
    *,
    service: str,
    key: str,
    headers: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    timeout: float | None = None,
) -> Any:
    """The JSON that a service answers. `url` begins with what stands in our code, so it is trusted.

    Raises UnauthenticatedError, RateLimitedError, UnavailableError and DeadlineError, ComponentError for all else.
    """
    data = None if body is None else json.dumps(body).encode()
    sent = {"Accept": "application/json", **({} if data is None else {"Content-Type": "application/json"})}
    try:
        reply = await context.host.http.request(
            method,
            url,
            trusted=True,
            headers={**sent, **(headers or {})},
            data=data,
            # Nowhere else: the key may be in a header that the client does not know for one.
            follow_redirects=False,
            timeout=timeout,
        )
        return _read(reply, service)
    except SREError as error:
        failure = error
    # Raised out here, so that no traceback leads to the text that may have the key in it.
    raise _without(key, failure)


def _read(reply: HTTPReply, service: str) -> Any:
    try:
        answer = json.loads(reply.body)
    except ValueError:
        answer = None
    if reply.status >= 300:
        raise _failure(reply, service, answer)
    if answer is None:
        raise ComponentError(f"{service} answered with something that is not JSON", hint="try again later")
    return answer


def _failure(reply: HTTPReply, service: str, answer: Any) -> SREError:
    said = _detail(answer) or reply.body.decode(errors="replace").strip()
    text = f"{service} answered {reply.status}{': ' if said else ''}{said:.{_LONGEST}}"
    if reply.status in {401, 403}:
        return UnauthenticatedError(text, hint=f"check the key for {service} in the vault")
    if reply.status == 429:
        wait = reply.headers.get("retry-after", "")
        return RateLimitedError(text, retry_after=float(wait) if wait.isdecimal() else None)
    if reply.status >= 500:
        return UnavailableError(text)
    return ComponentError(text)


def _detail(answer: Any) -> str:
    """What a service says went wrong, wherever it says so."""
    if isinstance(answer, Mapping):
        return next((text for name in _DETAILS if (text := _detail(answer.get(name)))), "")
    return answer if isinstance(answer, str) else ""


def _without(key: str, error: SREError) -> SREError:
    """The same error, with the key gone from its text."""
    hidden = error.message
    for text in (key, quote(key, safe=""), quote_plus(key), quote(key, safe=_PLAIN)):
        hidden = hidden.replace(text, "[key]") if text else hidden
    copy = type(error)(hidden, hint=error.hint)
    if isinstance(error, RateLimitedError | UnavailableError) and isinstance(copy, RateLimitedError | UnavailableError):
        copy.retry_after = error.retry_after
    return copy
