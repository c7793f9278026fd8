"""What the status of an HTTP reply means, as one of our errors; every connector that speaks HTTP asks here."""

import email.utils
import math
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from sre_core.errors import (
    ConflictError,
    ConnectorError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)

__all__ = ["error_for_status", "retry_after_seconds", "without_secrets"]

_LONGEST_DETAIL = 300
_STARS = "**********"  # as pydantic shows a SecretStr

_HINTS: Mapping[type[ConnectorError], str] = {
    UnauthenticatedError: "check the key and what it may do; `sre vault set` keeps a new one",
    NotFoundError: "check the name, and the URL that the connector is configured with",
    RateLimitedError: "slow down, or ask the provider for a higher limit",
    UnavailableError: "try again later",
}


def error_for_status(
    status: int,
    what: str,
    *,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    hint: str | None = None,
    secrets: Iterable[str] = (),
) -> ConnectorError:
    """The error that a status of 300 or above stands for: "`what` failed with status 503: `detail`".

    401, 402 and 403 are UnauthenticatedError, 404 and 410 NotFoundError, 409 and 412 ConflictError, 429
    RateLimitedError, 408 and 5xx UnavailableError, all others ConnectorError. `detail` is the server's own explanation,
    shortened to one line; it is left out where credentials were refused, since servers quote them, and elsewhere
    without `secrets`. `headers` may hold the time to wait.
    """
    kind = _kind(status)
    message = f"{what} failed with status {status}"
    if 300 <= status < 400:
        message += ", a redirection, which is not followed"
    elif not detail.strip() or kind is UnauthenticatedError:
        message += f" ({_phrase(status)})"
    else:
        message += f": {_line(without_secrets(detail, secrets))}"
    hint = hint or _HINTS.get(kind)
    if kind is RateLimitedError or kind is UnavailableError:
        return kind(message, hint=hint, retry_after=retry_after_seconds(headers or {}))
    return kind(message, hint=hint)


def retry_after_seconds(headers: Mapping[str, str], *, now: float | None = None) -> float | None:
    """The seconds to wait that a server asks for, 0 or more; None when it asks for nothing that can be read.

    Reads `retry-after-ms` (milliseconds), then `Retry-After` (seconds or a date, RFC 9110, section 10.2.3). `now` is
    in seconds since the epoch.
    """
    found = {name.lower(): str(value).strip() for name, value in headers.items()}
    if "retry-after-ms" in found:
        milliseconds = _number(found["retry-after-ms"])
        if milliseconds is not None:
            return milliseconds / 1000
    text = found.get("retry-after", "")
    seconds = _number(text)
    if seconds is not None:
        return seconds
    try:
        date = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, date.timestamp() - (time.time() if now is None else now))


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """`text` with stars in place of secrets, as a log or an error may show it."""
    # The longest first: one may begin another.
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _STARS) if secret else text
    return text


def _kind(status: int) -> type[ConnectorError]:
    match status:
        case 401 | 402 | 403:
            return UnauthenticatedError
        case 404 | 410:
            return NotFoundError
        case 409 | 412:
            return ConflictError
        case 429:
            return RateLimitedError
        case 408:
            return UnavailableError
        case _:
            return UnavailableError if status >= 500 else ConnectorError


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no standard status"


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_DETAIL else f"{line[:_LONGEST_DETAIL]}…"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
