"""Signs requests with OAuth: finds tokens, renews them when they end, and keeps what is new."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from sre_core.components.context import ComponentContext
from sre_core.components.http_target import origin_text, parse_url
from sre_core.components.node import Node
from sre_core.components.secret import find_secret
from sre_core.components.template import expand
from sre_core.components.web.api_settings import APICallSettings
from sre_core.components.web.oauth_tokens import OAuthClient, OAuthKind, Tokens, kind_of, read_tokens, write_tokens
from sre_core.connectors.base import import_drivers
from sre_core.errors import AccessDeniedError, ComponentError, ConnectorError

__all__ = ["OAuth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stored:
    """What the vault holds, where it was found, and what the node says besides."""

    name: str
    text: str
    tokens: Tokens
    client: OAuthClient
    kind: OAuthKind


class OAuth:
    """The OAuth of one node, in one run."""

    def __init__(self, settings: APICallSettings, node: Node, context: ComponentContext) -> None:
        self._settings = settings
        self._node = node
        self._context = context
        self._kind = kind_of(settings.oauth_service)
        # Editors have a list of connections, the first of which is "None".
        if settings.oauth_con_id == "None":
            self._kind = OAuthKind.NONE
        elif settings.oauth_con_id and self._kind is OAuthKind.NONE:
            self._kind = OAuthKind.OAUTH2
        self._name = settings.oauth_con_id or f"OAUTH_{node.id}_TOKENS"

    @property
    def is_used(self) -> bool:
        """Whether the node asks for OAuth at all."""
        return self._kind is not OAuthKind.NONE

    async def authorization(self, method: str, url: str, *, body: bytes | None, content_type: str) -> str | None:
        """The value of `Authorization`, or None where the node asks for no OAuth.

        Raises UnauthenticatedError when tokens are refused, NotFoundError and AccessDeniedError for the secret that
        should hold them, ComponentError, and what the HTTP client raises.
        """
        if not self.is_used:
            return None
        await import_drivers("sre_core.components.web.oauth_protocol")
        stored = await self._stored()
        if stored.kind is OAuthKind.CLIENT_CREDENTIALS:
            return f"Bearer {(await self._own_token(stored.client)).access}"
        if stored.kind is OAuthKind.OAUTH2:
            return f"Bearer {(await self._fresh(stored)).access}"
        # Not at the top, here and below: it imports oauthlib, which most runs do without.
        from sre_core.components.web.oauth_protocol import sign

        if not stored.client.id:
            raise ComponentError("OAuth 1 needs a consumer key", hint="set consumerKey and consumerSecret")
        # As it is sent: the server signs what it sees.
        sent = str(parse_url(url))
        return sign(method, sent, body=body, content_type=content_type, client=stored.client, tokens=stored.tokens)

    async def _stored(self) -> _Stored:
        """The tokens of the vault. The client-credentials grant needs none, if the node itself names the client."""
        client = await self._client()
        kind = self._kind
        if kind is OAuthKind.CLIENT_CREDENTIALS and client.token_url and not self._settings.oauth_con_id:
            return _Stored(name="", text="", tokens=Tokens(), client=client, kind=kind)
        secret = await find_secret(self._name, self._context)
        text = secret.value.get_secret_value()
        tokens, stored, written = read_tokens(text, name=secret.name)
        # SmythOS calls all of version 2 "oauth2"; what it says of version 1 or of the grant is more exact.
        exact = kind_of(written)
        is_exact = exact in {OAuthKind.OAUTH1, OAuthKind.CLIENT_CREDENTIALS}
        return _Stored(
            name=secret.name,
            text=text,
            tokens=tokens,
            client=stored.or_else(client),
            kind=exact if is_exact else kind,
        )

    async def _client(self) -> OAuthClient:
        one = self._kind is OAuthKind.OAUTH1
        settings = self._settings
        return OAuthClient(
            id=await self._author(settings.consumer_key if one else settings.client_id),
            secret=await self._author(settings.consumer_secret if one else settings.client_secret),
            token_url=await self._author(settings.token_url),
            scope=await self._author(settings.scope),
        )

    async def _author(self, text: str) -> str:
        """A setting with its author's variables and secrets; inputs have no place in it."""
        return await expand(text, {}, self._context, node=self._node, missing="empty")

    async def _fresh(self, stored: _Stored) -> Tokens:
        if stored.tokens.is_fresh():
            return stored.tokens
        key = _key(self._name, stored.text)
        kept = await self._kept(key)
        if kept is not None and kept.is_fresh():
            return kept
        async with self._context.host.http.lock(key):
            kept = await self._kept(key)
            # Whoever held the lock before may have written to either.
            newest = await self._stored()
            for tokens in (newest.tokens, kept):
                if tokens is not None and tokens.is_fresh():
                    return tokens
            current = kept or newest.tokens
            renewed = await self._refresh(newest.client, current)
            await self._keep(newest, renewed)
            return renewed

    async def _refresh(self, client: OAuthClient, tokens: Tokens) -> Tokens:
        from sre_core.components.web.oauth_protocol import refresh_form

        if not tokens.extra or not client.token_url:
            missing = "refresh token" if not tokens.extra else "tokenURL"
            raise ComponentError(
                f"the access token of {self._name!r} has ended, and there is no {missing} to renew it with",
                hint="sign in again, and keep the new tokens in the vault",
            )
        return tokens.renewed(await self._ask(client, refresh_form(client, tokens.extra)))

    async def _own_token(self, client: OAuthClient) -> Tokens:
        from sre_core.components.web.oauth_protocol import client_credentials_form

        if not (client.token_url and client.id):
            raise ComponentError("client credentials need tokenURL and clientID", hint="set both, and clientSecret")
        key = _key(client.token_url, client.id, client.secret, client.scope)
        async with self._context.host.http.lock(key):
            kept = await self._kept(key)
            if kept is not None and kept.is_fresh():
                return kept
            tokens = await self._ask(client, client_credentials_form(client))
            await self._cache(key, tokens, lasting=False)
            return tokens

    async def _ask(self, client: OAuthClient, form: str) -> Tokens:
        from sre_core.components.web.oauth_protocol import read_token_reply

        reply = await self._context.host.http.request(
            "POST",
            client.token_url,
            trusted=True,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            data=form.encode(),
            # Nowhere else with the client's secret.
            follow_redirects=False,
            timeout=self._settings.timeout,
            max_bytes=2**20,
        )
        return read_token_reply(reply, service=origin_text(client.token_url))

    async def _keep(self, stored: _Stored, tokens: Tokens) -> None:
        """In the vault, where they were found, if the agent may write there; else in its cache."""
        try:
            await self._context.vault.set(stored.name, write_tokens(stored.text, tokens, name=stored.name))
        except (AccessDeniedError, ConnectorError):
            # A new refresh token outlives the access token: without it, nobody could renew again.
            rotated = tokens.extra != stored.tokens.extra
            await self._cache(_key(self._name, stored.text), tokens, lasting=rotated)

    async def _kept(self, key: str) -> Tokens | None:
        found = await self._context.cache.get(key)
        return Tokens(**found) if isinstance(found, Mapping) else None

    async def _cache(self, key: str, tokens: Tokens, *, lasting: bool) -> None:
        value: dict[str, Any] = {"access": tokens.access, "extra": tokens.extra, "expires": tokens.expires}
        left = tokens.seconds_left()
        if lasting or left is None:
            await self._context.cache.set(key, value)
        elif left > 0:
            await self._context.cache.set(key, value, ttl=left)


def _key(*parts: str) -> str:
    """Where new tokens are kept: other ones as soon as what they were made from is another."""
    return f"oauth/{hashlib.sha256(to_json(parts)).hexdigest()}"
