"""Links that open an object without credentials, made by Google's client library."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from google.auth.credentials import Signing
from google.cloud import storage  # type: ignore[import-untyped]

from sre_core.errors import ConfigError, ConnectorError, NotFoundError, UnauthenticatedError
from sre_gcp.api import Api, Request
from sre_gcp.errors import SIGNER_ROLE, translated_credentials
from sre_gcp.settings import GcsSettings

__all__ = ["LONGEST", "SIGNER", "Links", "can_sign"]

LONGEST = 7 * 86400.0
"""Seconds that a link lives at most, a limit of the service."""

SIGNER = "https://iamcredentials.googleapis.com"
"""Where Google signs in the name of an account."""


def can_sign(credentials: Any) -> bool:
    """Whether a link can be signed with these: with a key of their own, or by Google in the name of their account."""
    return isinstance(credentials, Signing) or getattr(credentials, "service_account_email", None) is not None


class Links:
    """Signs with the credentials of a connector."""

    def __init__(self, credentials: Any, settings: GcsSettings, api: Api) -> None:
        """`api` asks Google for signatures, where the credentials have no key."""
        self._credentials = credentials
        self._settings = settings
        self._api = api
        self._client: Any = None

    async def sign(self, name: str, seconds: float) -> str:
        """A link to the object of this name."""
        if not 0 < seconds <= LONGEST:
            raise ConfigError(
                f"a link cannot live for {seconds:g} seconds", hint=f"Google allows up to {LONGEST:g}, which is a week"
            )
        if isinstance(self._credentials, Signing):
            return await asyncio.to_thread(self._link, name, seconds, self._credentials)
        # Their library would ask for the signature in a thread, which nobody can end, and wait for minutes.
        unsigned = _Unsigned(self._credentials.service_account_email)
        link = await asyncio.to_thread(self._link, name, seconds, unsigned)
        # A link ends with its signature, which is empty so far.
        return f"{link}{(await self._signature(name, unsigned.message)).hex()}"

    def _link(self, name: str, seconds: float, signing: Signing) -> str:
        with translated_credentials():
            if self._client is None:
                # It sends nothing. With credentials of a machine, it would ask for that one's domain, and wait.
                self._client = storage.Client.create_anonymous_client()
            blob = self._client.bucket(self._settings.bucket).blob(name)
            link: str = blob.generate_signed_url(
                version="v4",
                expiration=timedelta(seconds=max(1, int(seconds))),
                method="GET",
                credentials=signing,
                api_access_endpoint=self._settings.endpoint,
            )
        return link

    async def _signature(self, name: str, message: bytes) -> bytes:
        what = f"signing a link to {name!r}"
        email = self._credentials.service_account_email
        try:
            reply = await self._api.ask(
                Request(
                    what=what,
                    method="POST",
                    origin=SIGNER,
                    path=f"/v1/projects/-/serviceAccounts/{quote(email, safe='@')}:signBlob",
                    headers={"Content-Type": "application/json"},
                    body=json.dumps({"payload": base64.b64encode(message).decode()}).encode(),
                    role=SIGNER_ROLE,
                )
            )
        except NotFoundError as error:
            # For who asks for a link it would mean that there is no object.
            raise UnauthenticatedError(f"{what} failed: there is no account {email!r}", hint=SIGNER_ROLE) from error
        return _signature_of(reply.body, what)


def _signature_of(body: bytes, what: str) -> bytes:
    try:
        signature = base64.b64decode(json.loads(body)["signedBlob"], validate=True)
    except (ValueError, KeyError, TypeError):
        signature = b""
    if not signature:
        raise ConnectorError(
            f"{what} failed: the reply of {SIGNER} holds no signature",
            hint="check that no proxy answers in its place, or use a key",
        )
    return signature


class _Unsigned(Signing):
    """Lets their library make a link without a signature, and keeps what is to be signed."""

    def __init__(self, email: str) -> None:
        self._email = email
        self.message = b""

    def sign_bytes(self, message: bytes) -> bytes:
        """Take note."""
        self.message = message
        return b""

    @property
    def signer_email(self) -> str:
        """The account that the link names."""
        return self._email

    @property
    def signer(self) -> None:
        """None: this one has no key."""
        return None
