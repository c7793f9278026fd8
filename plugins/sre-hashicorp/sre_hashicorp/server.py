"""The server with all that is open towards it. This module imports hvac and aiohttp; only `start` leads here."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Self

import aiohttp
from hvac.api.auth_methods import Token  # type: ignore[import-untyped]
from hvac.api.system_backend.health import Health  # type: ignore[import-untyped]
from hvac.utils import format_url  # type: ignore[import-untyped]

from sre_core.errors import NotFoundError, UnauthenticatedError
from sre_hashicorp.adapter import AsyncAdapter, open_session
from sre_hashicorp.engines import Engine, engine
from sre_hashicorp.keeper import TokenKeeper
from sre_hashicorp.logins import login_for
from sre_hashicorp.replies import Reply, checked, confirmed, health, knows_token, kv_version, listed, value
from sre_hashicorp.settings import HashicorpSettings

__all__ = ["Server"]


class Server:
    """One mounted KV engine, with a token that is looked after. Paths lie below the mount."""

    def __init__(self, settings: HashicorpSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._place = settings.place
        self._session = session
        self._adapter = AsyncAdapter(session, settings)
        # Another one for logins, since our token has no business there.
        login = login_for(settings, AsyncAdapter(session, settings))
        # The server has one health for all namespaces, and tells it in none of them.
        self._health = Health(AsyncAdapter(session, settings, in_namespace=False))
        self._keeper = TokenKeeper(self._adapter, login, renew_after=settings.renew_after, place=self._place)
        self._engine: Engine = engine(2, self._adapter, settings.mount)
        self._lists = asyncio.Semaphore(settings.lists)

    @classmethod
    async def open(cls, settings: HashicorpSettings) -> Self:
        """A server that nothing was sent to yet. Raises ConfigError."""
        return cls(settings, await open_session(settings))

    async def start(self) -> None:
        """Log in, and find out the version of the engine. Raises ConnectorError, ConfigError."""
        await self._keeper.start()
        wanted = self._settings.kv_version
        version: int | None = None if wanted == "auto" else wanted
        lease = self._keeper.lease
        # A token that may not ask about itself can be a wrong one: the question after the mount tells.
        if version is None or lease is None or lease.doubtful:
            found = await self._version()
            version = version or found
        self._engine = engine(version, self._adapter, self._settings.mount)

    async def stop(self) -> None:
        """End the care for the token, and close all connections."""
        try:
            await self._keeper.stop()
        finally:
            await self._session.close()

    async def ping(self) -> None:
        """Return when the server can serve, and knows our token."""
        reply: Reply = await self._health.read_health_status(
            standby_ok=True, performance_standby_code=200, method="GET"
        )
        health(reply, self._place)
        lease = self._keeper.lease
        if lease is not None and not lease.doubtful:
            reply = await self._keeper.call(lambda: Token(self._adapter).lookup_self())
            if not knows_token(reply):
                checked(reply, self._place, "a question after our token")

    async def read(self, path: str, name: str) -> str:
        """The secret `name` at a path. Raises NotFoundError."""
        reply = await self._keeper.call(lambda: self._engine.read(path))
        try:
            body = checked(reply, self._place, f"reading secret {name!r}")
        except NotFoundError as error:
            if _deleted(reply):
                raise NotFoundError(
                    f"secret {name!r} in the {self._place} is deleted", hint="undelete its newest version, or set it"
                ) from error
            raise
        return value(self._engine.found(body), self._settings.field, name)

    async def write(self, path: str, secret: str, name: str) -> None:
        """Keep a secret."""
        reply = await self._keeper.call(lambda: self._engine.write(path, {self._settings.field: secret}))
        confirmed(reply, self._place, f"writing secret {name!r}")

    async def delete(self, path: str, name: str) -> None:
        """Forget a secret, and all its versions."""
        reply = await self._keeper.call(lambda: self._engine.delete(path))
        if not reply.nothing:
            confirmed(reply, self._place, f"deleting secret {name!r}")

    async def names(self, root: str) -> list[str]:
        """The paths of all secrets below `root`, relative to it; those in folders that we may not list are left out."""
        found: list[str] = []
        folders = [""]
        while folders:
            inside = await _together([self._list(root, folder) for folder in folders])
            entries = [folder + entry for folder, names in zip(folders, inside, strict=True) for entry in names]
            found += [entry for entry in entries if not entry.endswith("/")]
            folders = [entry for entry in entries if entry.endswith("/")]
        return sorted(found)

    async def _list(self, root: str, folder: str) -> list[str]:
        path = f"{root}/{folder}".strip("/")
        async with self._lists:
            reply = await self._keeper.call(lambda: self._engine.list(path))
        if reply.nothing:
            return []
        try:
            return listed(checked(reply, self._place, f"listing {path or 'the mount'!r}"), self._place)
        except UnauthenticatedError:
            if not folder:
                raise
            return []

    async def _version(self) -> int:
        mount = self._settings.mount
        path = format_url("/v1/sys/internal/ui/mounts/{mount}", mount=mount)
        reply = await self._keeper.call(lambda: self._adapter.get(path))
        if reply.status == 403:
            raise UnauthenticatedError(
                f"the {self._place} refused our token, or shows it no KV engine at {mount!r}",
                hint="check the token, the mount, and what the policies of the token allow there",
            )
        return kv_version(checked(reply, self._place, "a question after the mount"), mount, self._place)


def _deleted(reply: Reply) -> bool:
    """Whether version 2 says that the newest version was deleted."""
    data = reply.body.get("data") if isinstance(reply.body, dict) else None
    metadata = data.get("metadata") if isinstance(data, dict) else None
    return isinstance(metadata, dict) and bool(metadata.get("deletion_time") or metadata.get("destroyed"))


async def _together(calls: list[Coroutine[Any, Any, list[str]]]) -> list[list[str]]:
    """All results; when one fails, the others are cancelled."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
