"""Credentials for Vertex AI. Imports google.auth, so only modules that `start` imports may import this one."""

import asyncio
import json
from pathlib import Path
from typing import Any

import google.auth
import requests
from google.auth import exceptions as auth_errors
from google.auth.credentials import Credentials
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

from sre_core.errors import ConfigError, UnauthenticatedError
from sre_google.settings import GoogleSettings
from sre_google.token_requests import TokenRequests

__all__ = ["load_credentials", "renew"]

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_PATIENCE = 60.0


def load_credentials(settings: GoogleSettings) -> tuple[Credentials, str]:
    """Credentials and project. Slow: call it in a thread.

    Raises ConfigError for text that holds no credentials of a known kind, or when no project is known;
    UnauthenticatedError when the machine has no credentials of its own.
    """
    if settings.credentials is not None:
        found = _read(settings.credentials.get_secret_value(), "the setting credentials")
    elif settings.credentials_file is not None:
        found = _read(_text(settings.credentials_file), f"the file {str(settings.credentials_file)!r}")
    else:
        found = _ambient()
    credentials, project = found
    project = settings.project or project
    if project is None:
        raise ConfigError("no Google Cloud project is known", hint="set project")
    return credentials, project


async def renew(credentials: Credentials, settings: GoogleSettings) -> None:
    """Fetch a new access token, in a thread, from a server that may be silent for a minute at most.

    Raises GoogleAuthError when there is none.
    """
    silence = min(settings.timeout, _PATIENCE)
    untyped: Any = credentials

    def refresh() -> None:
        with requests.Session() as session:
            untyped.refresh(TokenRequests(session, connect_timeout=settings.connect_timeout, silence=silence))

    await asyncio.to_thread(refresh)


def _text(path: Path) -> str:
    try:
        return path.expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot read credentials from {str(path)!r}", hint="check the setting credentials_file"
        ) from (error)


def _read(text: str, where: str) -> tuple[Credentials, str | None]:
    try:
        known: Any = json.loads(text)
        kind = known.get("type")
        if kind == "service_account":
            found: Any = service_account.Credentials.from_service_account_info(known, scopes=_SCOPES)  # type: ignore[no-untyped-call]
            return found, known.get("project_id")
        if kind == "authorized_user":
            found = user_credentials.Credentials.from_authorized_user_info(known, scopes=_SCOPES)  # type: ignore[no-untyped-call]
            return found, known.get("quota_project_id")
    except (ValueError, TypeError, AttributeError, LookupError, auth_errors.GoogleAuthError):
        # Not chained: the cause may hold the key itself.
        raise ConfigError(
            f"{where} holds no credentials", hint="it should be the JSON of a service account's key"
        ) from None
    raise ConfigError(
        f"{where} holds credentials of type {kind!r}, which cannot be given like this",
        hint="name their file in the environment variable GOOGLE_APPLICATION_CREDENTIALS instead",
    )


def _ambient() -> tuple[Credentials, str | None]:
    try:
        found: tuple[Credentials, str | None] = google.auth.default(scopes=_SCOPES)
    except auth_errors.GoogleAuthError as error:
        raise UnauthenticatedError(
            "this machine has no Google credentials of its own",
            hint="run `gcloud auth application-default login`, or set credentials_file",
        ) from error
    return found
