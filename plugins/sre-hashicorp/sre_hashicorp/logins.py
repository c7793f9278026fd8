"""How a token is got: it is given, lies in a file, or is the answer to a login.

This module imports hvac; only `start` leads here.
"""

import asyncio
from abc import ABC, abstractmethod
from pathlib import Path

from hvac.api.auth_methods import AppRole, Kubernetes, Token  # type: ignore[import-untyped]

from sre_core.errors import ConfigError, UnauthenticatedError
from sre_hashicorp.adapter import AsyncAdapter
from sre_hashicorp.replies import Lease, Reply, checked, lease_of_login, lease_of_lookup
from sre_hashicorp.settings import HashicorpSettings

__all__ = ["Login", "login_for"]


class Login(ABC):
    """One way to a token. `again` says whether it can lead to another token than the first."""

    again = True

    def __init__(self, settings: HashicorpSettings, adapter: AsyncAdapter) -> None:
        """`adapter` is for this alone: it shows no token but those that are asked about."""
        self._settings = settings
        self._adapter = adapter

    @abstractmethod
    async def token(self) -> Lease:
        """A token. Raises ConnectorError, ConfigError."""

    async def _looked_up(self, token: str, setting: str) -> Lease:
        """What the server knows of the token in a setting; little, if the token may not even ask."""
        if not (token.isascii() and token.isprintable()):
            raise ConfigError(
                f"{setting} holds letters that no token has", hint="it should hold one token, in one line"
            )
        self._adapter.token = token
        reply: Reply = await Token(self._adapter).lookup_self()
        if reply.status == 403:
            # It is unknown or has expired; or it lacks the default policy, which lets a token ask.
            return Lease(token=token, doubtful=True)
        return lease_of_lookup(checked(reply, self._settings.place, "a question after our token"), token)

    def _answered(self, reply: Reply) -> Lease:
        place = self._settings.place
        return lease_of_login(checked(reply, place, "a login", login=True), place)


class _Given(Login):
    again = False

    async def token(self) -> Lease:
        secret = self._settings.token
        return await self._looked_up("" if secret is None else secret.get_secret_value(), "token")


class _InFile(Login):
    async def token(self) -> Lease:
        return await self._looked_up(await _read(self._settings.token_file or Path(), "token_file"), "token_file")


class _AppRole(Login):
    async def token(self) -> Lease:
        settings = self._settings
        secret = settings.secret_id
        reply: Reply = await AppRole(self._adapter).login(
            settings.role_id,
            secret_id=None if secret is None else secret.get_secret_value(),
            use_token=False,
            mount_point=settings.auth_mount or "approle",
        )
        return self._answered(reply)


class _Kubernetes(Login):
    async def token(self) -> Lease:
        # Read each time: Kubernetes replaces the file every hour or so.
        proof = await _read(self._settings.jwt_file, "jwt_file")
        reply: Reply = await Kubernetes(self._adapter).login(
            self._settings.kubernetes_role,
            proof,
            use_token=False,
            mount_point=self._settings.auth_mount or "kubernetes",
        )
        return self._answered(reply)


def login_for(settings: HashicorpSettings, adapter: AsyncAdapter) -> Login:
    """The way in that the settings ask for."""
    if settings.token is not None:
        return _Given(settings, adapter)
    if settings.token_file is not None:
        return _InFile(settings, adapter)
    kind = _AppRole if settings.role_id is not None else _Kubernetes
    return kind(settings, adapter)


async def _read(path: Path, setting: str) -> str:
    try:
        text = (await asyncio.to_thread(path.read_text)).strip()
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"{setting} {str(path)!r} cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}",
            hint=f"set {setting} to a file that this user can read",
        ) from error
    if not text:
        raise UnauthenticatedError(f"{setting} {str(path)!r} is empty", hint="who writes it? It should hold a token")
    return text
