"""What servers say when they refuse, as our errors: by status, and by the codes and words of many providers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from sre_core.connectors import error_for_status, without_secrets
from sre_core.errors import (
    ConnectorError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
)

__all__ = ["reply_failure", "status_failure"]

_NO_MODEL = frozenset(
    {
        "DeploymentNotFound",
        "invalid_model",
        "model_decommissioned",
        "model_not_available",
        "model_not_found",
        "model_not_supported",
        "unknown_model",
    }
)
_NO_MODEL_WORDS = re.compile(
    r"\bmodel\b.{0,120}\b(not found|not exist|does not exist|not available|not a valid|decommissioned)"
    r"|(invalid|unknown|no such) model|not a valid model|server is pinned to",
    re.IGNORECASE | re.DOTALL,
)
_TOO_LONG = frozenset({"context_length_exceeded", "exceed_context_size_error", "prompt_too_long"})
_TOO_LONG_WORDS = re.compile(
    r"(maximum|exceeds?( the)?( available)?|model'?s?) context (length|window|size)"
    r"|context (length|window|size) exceeded|prompt is too long|too many tokens|exceed context window",
    re.IGNORECASE,
)
_NO_KEY = frozenset({"invalid_api_key", "authentication_error"})
_NO_KEY_WORDS = re.compile(r"(incorrect|invalid) api key", re.IGNORECASE)
_NO_MONEY = frozenset({"billing_hard_limit_reached", "billing_not_active", "insufficient_quota"})
_LIMITED = frozenset({"rate_limit_error", "rate_limit_exceeded", "too_many_requests"})
_REFUSED = frozenset(
    {
        "ResponsibleAIPolicyViolation",
        "bio_policy",
        "content_filter",
        "content_policy_violation",
        "image_content_policy_violation",
        "moderation_blocked",
        "misalignment_policy_violation",
    }
)
_OUR_FAULT = re.compile(r"invalid|unsupported|bad_request|image_|policy|not_found")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """The server's own explanation."""

    message: str = ""
    codes: frozenset[str] = frozenset()
    status: int | None = None


def status_failure(
    status: int,
    body: bytes,
    headers: Mapping[str, str],
    *,
    what: str,
    model: str | None = None,
    secrets: Sequence[str] = (),
) -> ConnectorError:
    """The error for a reply with this status; `what` was asked for, of `model` if of one.

    Messages hold none of the `secrets`, whatever the server repeats.
    """
    said = _said(body)
    message = without_secrets(said.message, secrets)
    if said.codes & _NO_MONEY:
        return _no_money(what)
    if status == 400 and (said.codes & _NO_KEY or _NO_KEY_WORDS.search(message)):
        status = 401
    if status in {400, 404, 413, 422} and (special := _special(said, message, what, model)):
        return special
    if model is not None and status == 404 and not said.message:
        return _no_model(what, model, f"{what} failed with status 404")
    hint = None if model is not None or status != 404 else "check the `url` of the connector"
    return error_for_status(status, what, detail=message, headers=headers, hint=hint)


def reply_failure(error: Any, *, what: str, model: str | None = None, secrets: Sequence[str] = ()) -> ConnectorError:
    """The error that came inside a reply; what is not the caller's fault may pass."""
    said = _explained(error)
    message = without_secrets(said.message, secrets)
    if said.codes & _NO_MONEY:
        return _no_money(what)
    if special := _special(said, message, what, model):
        return special
    if said.status is not None and 400 <= said.status < 600:
        return error_for_status(said.status, what, detail=message)
    text = f"{what} broke off: {message or 'the server reports an error'}"
    if said.codes & _LIMITED:
        return RateLimitedError(text, hint="slow down, or ask the provider for a higher limit")
    if any(_OUR_FAULT.search(code) for code in said.codes):
        return ConnectorError(text)
    return UnavailableError(text, hint="try again later")


def _special(said: _Said, message: str, what: str, model: str | None) -> ConnectorError | None:
    if said.codes & _TOO_LONG or _TOO_LONG_WORDS.search(message):
        return ConnectorError(
            f"{what}: the prompt is too long for the model: {_line(message)}",
            hint="lower Limits.window_tokens, so that older messages are left out, or ask for a shorter reply",
        )
    if said.codes & _REFUSED:
        return ConnectorError(
            f"{what} was refused by the provider's content filter: {_line(message)}", hint="change the prompt"
        )
    if "v1/responses" in message and "v1/chat/completions" in message:
        # OpenAI's models that think call functions only there.
        return ConnectorError(f"{what} was refused: {_line(message)}", hint='set `api = "responses"` for the connector')
    if model is not None and (said.codes & _NO_MODEL or _NO_MODEL_WORDS.search(message)):
        return _no_model(what, model, f"{what}: there is no model {model!r}: {_line(message)}")
    return None


def _no_model(what: str, model: str, text: str) -> NotFoundError:
    return NotFoundError(
        text, hint=f"ask for one that `models()` of the connector names, or set another `model` than {model!r}"
    )


def _no_money(what: str) -> UnauthenticatedError:
    return UnauthenticatedError(
        f"{what} was refused: the account has no credit left, or has reached its spending limit",
        hint="add credit or raise the limit at the provider; trying again does not help",
    )


def _said(body: bytes) -> _Said:
    try:
        data = from_json(body)
    except ValueError:
        # A page or garbage explains nothing.
        return _Said()
    if isinstance(data, list) and data:
        data = data[0]
    if not isinstance(data, Mapping):
        return _Said()
    inner = data.get("error")
    if isinstance(inner, Mapping):
        return _explained(inner)
    return _explained({**data, "message": inner or data.get("message") or data.get("detail") or ""})


def _explained(error: Any) -> _Said:
    if not isinstance(error, Mapping):
        return _Said(message=error if isinstance(error, str) else "")
    message = error.get("message") or error.get("detail") or error.get("msg") or ""
    if not isinstance(message, str):
        message = str(message)
    named = [error.get("code"), error.get("type")]
    inner = error.get("innererror")
    if isinstance(inner, Mapping):
        named.append(inner.get("code"))
    codes = frozenset(name for name in named if isinstance(name, str))
    code = str(error.get("code"))
    return _Said(message=message, codes=codes, status=int(code) if re.fullmatch(r"[1-5]\d\d", code, re.ASCII) else None)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:300]}…"
