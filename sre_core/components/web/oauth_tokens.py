"""Tokens of OAuth as the vault keeps them, in the two forms in which SmythOS wrote them."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sre_core.errors import ComponentError

__all__ = ["OAuthClient", "OAuthKind", "Tokens", "kind_of", "read_tokens", "write_tokens"]

# Seconds before its end at which a token is renewed, so that it does not end on its way.
_EARLY = 30.0


class OAuthKind(StrEnum):
    """How a request is signed."""

    NONE = "none"
    OAUTH1 = "oauth1"
    OAUTH2 = "oauth2"
    CLIENT_CREDENTIALS = "client_credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthClient:
    """Who asks for tokens, and where. `secret` is the consumer's for OAuth 1."""

    id: str = ""
    secret: str = field(default="", repr=False)
    token_url: str = ""
    scope: str = ""

    def or_else(self, other: "OAuthClient") -> "OAuthClient":
        """The same, with what is empty taken from another."""
        return OAuthClient(
            id=self.id or other.id,
            secret=self.secret or other.secret,
            token_url=self.token_url or other.token_url,
            scope=self.scope or other.scope,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """`access` is sent; `extra` is the refresh token of OAuth 2, or the token's secret of OAuth 1.

    `expires` is in seconds since the epoch; None is never, 0 is a time that nobody knows.
    """

    access: str = field(default="", repr=False)
    extra: str = field(default="", repr=False)
    expires: float | None = None

    def is_fresh(self) -> bool:
        """Whether the token can be sent."""
        return bool(self.access) and (self.expires is None or self.expires > time.time() + _EARLY)

    def seconds_left(self) -> float | None:
        """How long the token lives; None is for ever."""
        return None if self.expires is None else self.expires - time.time()

    def renewed(self, other: "Tokens") -> "Tokens":
        """What a refresh gave. A service that gives no new refresh token means that the old one stays good."""
        return replace(other, extra=other.extra or self.extra)


def kind_of(service: str, stored: str = "") -> OAuthKind:
    """What editors and SmythOS call it, by the node's setting and by what the vault says."""
    for name in (service, stored):
        word = name.lower().replace("_", " ").strip()
        if word in {"", "none"}:
            continue
        if "client credentials" in word:
            return OAuthKind.CLIENT_CREDENTIALS
        if "1.0" in word or word in {"oauth", "oauth1"}:
            return OAuthKind.OAUTH1
        return OAuthKind.OAUTH2
    return OAuthKind.NONE


def read_tokens(text: str, *, name: str) -> tuple[Tokens, OAuthClient, str]:
    """The tokens, the client that they belong to, and the kind as written. Raises ComponentError, naming the secret."""
    raw = _parse(text, name)
    data, about = _places(raw)
    tokens = Tokens(
        access=_text(data, "primary"), extra=_text(data, "secondary"), expires=_moment(data.get("expires_in"))
    )
    client = OAuthClient(
        id=_text(about, "clientID") or _text(about, "consumerKey"),
        secret=_text(about, "clientSecret") or _text(about, "consumerSecret"),
        token_url=_text(about, "tokenURL"),
        scope=_text(about, "scope"),
    )
    return tokens, client, _text(data, "type") or _text(about, "type") or _text(about, "service")


def write_tokens(text: str, tokens: Tokens, *, name: str) -> str:
    """The text of the secret with other tokens in it, all else as it was; the time is in milliseconds, as there."""
    raw = _parse(text, name)
    data, _ = _places(raw)
    moment = None if tokens.expires is None else round(tokens.expires * 1000)
    new = {**data, "primary": tokens.access, "secondary": tokens.extra, "expires_in": moment}
    return json.dumps({**raw, "auth_data": new} if "auth_data" in raw else new)


def _parse(text: str, name: str) -> Mapping[str, Any]:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raw = None
    if isinstance(raw, dict) and isinstance(raw.get("auth_data", raw), dict):
        return raw
    raise ComponentError(
        f"the secret {name!r} does not hold tokens of OAuth",
        hint='as {"primary": "<access token>", "secondary": "<refresh token>", "expires_in": <milliseconds>}',
    )


def _places(raw: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Where the tokens are, and where it says whose they are."""
    data, about = (raw["auth_data"], raw.get("auth_settings")) if "auth_data" in raw else (raw, raw.get("oauth_info"))
    return data, about if isinstance(about, Mapping) else {}


def _text(place: Mapping[str, Any], key: str) -> str:
    value = place.get(key)
    return value if isinstance(value, str) else ""


def _moment(value: Any) -> float | None:
    try:
        number = float(value or 0)
    except (TypeError, ValueError):
        return None
    if number > 1e11:
        return number / 1000
    if number > 1e9:
        return number
    # A duration that nobody knows the beginning of.
    return 0.0 if number > 0 else None
