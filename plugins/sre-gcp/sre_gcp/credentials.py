"""Google's credentials: where they come from, and the tokens that they give."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import google.auth
import google.auth.credentials
import google.oauth2.credentials
import google.oauth2.service_account
import requests

from sre_core.errors import ConfigError, ConnectorError
from sre_gcp.errors import translated_credentials
from sre_gcp.settings import GcsSettings
from sre_gcp.token_requests import TokenRequests

__all__ = ["Tokens", "load"]

_SCOPES = (
    "https://www.googleapis.com/auth/devstorage.full_control",  # less does not let change the expiry of an object
    "https://www.googleapis.com/auth/iam",  # for accounts without a key, in whose name Google signs links
)
_EXPECTED = 'it should be the JSON of a service account\'s key, which has "type": "service_account"'


def load(settings: GcsSettings) -> Any:
    """The credentials that the settings mean; None for anonymous ones. Blocks, for files and for this machine's.

    Raises ConfigError when the given ones cannot be read, UnauthenticatedError when the machine has none.
    """
    if settings.anonymous:
        return None
    if settings.key is not None:
        return _from_text(settings.key.get_secret_value(), "the setting `key`")
    if settings.key_file is not None:
        try:
            text = settings.key_file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"cannot read the key file {str(settings.key_file)!r}", hint="check the setting `key_file`"
            ) from error
        return _from_text(text, f"the key file {str(settings.key_file)!r}")
    with translated_credentials():
        found, _ = google.auth.default(scopes=_SCOPES)
    return found


def _from_text(text: str, where: str) -> Any:
    """Credentials from their JSON. Not of the kinds that may name a command to run."""
    service: Any = google.oauth2.service_account.Credentials
    user: Any = google.oauth2.credentials.Credentials
    try:
        told = json.loads(text)
        match told["type"]:
            case "service_account":
                return service.from_service_account_info(told, scopes=_SCOPES)
            case "authorized_user":
                return user.from_authorized_user_info(told, scopes=_SCOPES)
    except (ValueError, KeyError, TypeError, AttributeError, google.auth.exceptions.GoogleAuthError):
        # Without its cause: that quotes the text.
        raise ConfigError(f"{where} holds no credentials", hint=_EXPECTED) from None
    raise ConfigError(
        f"{where} holds credentials of another kind",
        hint=f"{_EXPECTED}; for other kinds name the file in GOOGLE_APPLICATION_CREDENTIALS",
    )


class Tokens:
    """What requests are signed with: a token, fetched in a thread when there is none, or when it soon expires.

    However many calls need a new one, it is asked for once; a call that is cancelled leaves it to the others.
    """

    def __init__(self, credentials: Any, settings: GcsSettings) -> None:
        """`credentials` are Google's, or None."""
        self._credentials = credentials
        self._settings = settings
        self._renewing: asyncio.Task[None] | None = None

    async def headers(self) -> dict[str, str]:
        """The headers of a request. Raises a ConnectorError when there is no token."""
        signed: dict[str, str] = {}
        if self._credentials is None:
            return signed
        state = self._credentials.token_state
        if state is not google.auth.credentials.TokenState.FRESH:
            renewing = self._renew()
            # One that is merely old still opens the door.
            if state is google.auth.credentials.TokenState.INVALID:
                await _end_of(renewing)
        # With the project that the credentials are counted for, if they name one.
        self._credentials.apply(signed)
        return signed

    async def replace(self, refused: Mapping[str, str]) -> bool:
        """Get another token than that of the `refused` headers; whether there is one."""
        if self._credentials is None:
            return False
        if refused["authorization"] == f"Bearer {self._credentials.token}":
            await _end_of(self._renew())
        return True

    async def stop(self) -> None:
        """Wait for nothing any more."""
        renewing, self._renewing = self._renewing, None
        if renewing is not None:
            renewing.cancel()
            await asyncio.wait({renewing})

    def _renew(self) -> "asyncio.Task[None]":
        if self._renewing is None or self._renewing.done():
            self._renewing = asyncio.create_task(asyncio.to_thread(self._refresh))
            # Everybody who waited for it may have been cancelled.
            self._renewing.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._renewing

    def _refresh(self) -> None:
        with requests.Session() as session, translated_credentials():
            self._credentials.refresh(TokenRequests(session, self._settings))


async def _end_of(renewing: "asyncio.Task[None]") -> None:
    """Wait for a new token; who stops to wait leaves it to the others."""
    await asyncio.wait({renewing})
    if renewing.cancelled():
        raise ConnectorError("the storage 'gcs' was stopped before it had a token", hint="await start() first")
    renewing.result()
