"""What OAuth sends: signatures of version 1, requests for tokens of version 2. This module imports oauthlib."""

import base64
import hashlib
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from oauthlib import oauth1  # type: ignore[import-untyped]  # the package has no types
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error, WebApplicationClient  # type: ignore[import-untyped]  # likewise

from sre_core.components.http_client import HTTPReply
from sre_core.components.web.oauth_tokens import OAuthClient, Tokens
from sre_core.errors import UnauthenticatedError, UnavailableError

__all__ = ["client_credentials_form", "read_token_reply", "refresh_form", "sign"]

_FORM = "application/x-www-form-urlencoded"
# The characters that the signature may find unencoded in a query.
_QUERY = "=&;:%+~,*@!()/?'$"


class _Signer(oauth1.Client):  # type: ignore[misc]  # the package has no types
    """Adds the hash of a body that is no form, which need not be text."""

    def __init__(self, *args: Any, body: bytes | None, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._hashed = body

    def get_oauth_params(self, request: Any) -> list[tuple[str, str]]:
        """The parameters of the header, before the signature."""
        params: list[tuple[str, str]] = super().get_oauth_params(request)
        if self._hashed is not None:
            digest = hashlib.sha1(self._hashed, usedforsecurity=False).digest()
            params.append(("oauth_body_hash", base64.b64encode(digest).decode()))
        return params


def sign(method: str, url: str, *, body: bytes | None, content_type: str, client: OAuthClient, tokens: Tokens) -> str:
    """The `Authorization` of a request by OAuth 1, HMAC-SHA1, with the hash of a body that is no form."""
    is_form = content_type.partition(";")[0].strip() == _FORM and body is not None
    signer = _Signer(
        client.id,
        client_secret=client.secret,
        resource_owner_key=tokens.access or None,
        resource_owner_secret=tokens.extra or None,
        body=None if is_form else body,
    )
    parts = urlsplit(url)
    plain = urlunsplit(parts._replace(query=quote(parts.query, safe=_QUERY), fragment=""))
    form = body.decode() if is_form and body is not None else None
    _, headers, _ = signer.sign(plain, http_method=method, body=form, headers={"Content-Type": _FORM} if form else {})
    return str(headers["Authorization"])


def refresh_form(client: OAuthClient, refresh_token: str) -> str:
    """The body of a request for new tokens by a refresh token."""
    secret = {"client_secret": client.secret} if client.secret else {}
    form: str = WebApplicationClient(client.id).prepare_refresh_body(
        refresh_token=refresh_token, client_id=client.id, **secret
    )
    return form


def client_credentials_form(client: OAuthClient) -> str:
    """The body of a request for a token in the client's own name."""
    form: str = BackendApplicationClient(client.id).prepare_request_body(
        include_client_id=True, client_secret=client.secret, scope=client.scope.split() or None
    )
    return form


def read_token_reply(reply: HTTPReply, *, service: str) -> Tokens:
    """The tokens in a reply. Raises UnauthenticatedError with the service's error code, UnavailableError."""
    if reply.status >= 500 or reply.status == 429:
        raise UnavailableError(f"{service} gives no tokens now: HTTP {reply.status}")
    try:
        return _tokens(WebApplicationClient("").parse_request_body_response(reply.body.decode()))
    except OAuth2Error as error:
        code = error.error
    except (ValueError, TypeError, AttributeError):
        # The library takes it for granted that JSON is an object.
        code = f"HTTP {reply.status}"
    # Raised out here, so that no traceback leads to the reply.
    raise UnauthenticatedError(
        f"{service} refused to give tokens: {str(code)[:100]!r}",
        hint="sign in again, or check the client's id and secret",
    )


def _tokens(found: Mapping[str, Any]) -> Tokens:
    expires_in = found.get("expires_in")
    return Tokens(
        access=str(found["access_token"]),
        extra=str(found.get("refresh_token") or ""),
        expires=None if expires_in is None else time.time() + float(expires_in),
    )
