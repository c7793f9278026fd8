"""Links that open an object without credentials, signed by Google's client library."""

import asyncio
from datetime import timedelta
from typing import Any

from google.auth.credentials import Signing
from google.cloud import storage  # type: ignore[import-untyped]

from sre_core.errors import ConfigError
from sre_gcp.credentials import Tokens
from sre_gcp.errors import translated_credentials
from sre_gcp.settings import GcsSettings

__all__ = ["LONGEST", "Links", "can_sign"]

LONGEST = 7 * 86400.0
"""Seconds that a link lives at most, a limit of the service."""


def can_sign(credentials: Any) -> bool:
    """Whether a link can be signed with these: with a key of their own, or by Google in the name of their account."""
    return isinstance(credentials, Signing) or getattr(credentials, "service_account_email", None) is not None


class Links:
    """Signs with the credentials of a connector."""

    def __init__(self, credentials: Any, settings: GcsSettings, tokens: Tokens) -> None:
        self._credentials = credentials
        self._settings = settings
        self._tokens = tokens
        self._client: Any = None

    async def sign(self, name: str, seconds: float) -> str:
        """A link to the object of this name."""
        if not 0 < seconds <= LONGEST:
            raise ConfigError(
                f"a link cannot live for {seconds:g} seconds", hint=f"Google allows up to {LONGEST:g}, which is a week"
            )
        if isinstance(self._credentials, Signing):
            return await asyncio.to_thread(self._sign, name, seconds)
        # The token allows to ask Google for the signature.
        await self._tokens.headers()
        return await asyncio.to_thread(
            self._sign,
            name,
            seconds,
            service_account_email=self._credentials.service_account_email,
            access_token=self._credentials.token,
        )

    def _sign(self, name: str, seconds: float, **identity: str) -> str:
        with translated_credentials():
            if self._client is None:
                self._client = storage.Client(project=self._settings.project or "-", credentials=self._credentials)
            blob = self._client.bucket(self._settings.bucket).blob(name)
            link: str = blob.generate_signed_url(
                version="v4",
                expiration=timedelta(seconds=max(1, int(seconds))),
                method="GET",
                credentials=self._credentials,
                api_access_endpoint=self._settings.endpoint,
                **identity,
            )
        return link
