"""Secrets in a vault file of SmythOS, as it is."""

import asyncio
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr

from sre_core.access.candidate import Role, check_id
from sre_core.access.resource import split_path
from sre_core.builtin.worker_thread import in_thread
from sre_core.connectors.base import Settings
from sre_core.connectors.vault import VaultConnector
from sre_core.errors import ConfigError, ConnectorError, NotFoundError
from sre_core.models.unique_keys import unique_keys

__all__ = ["SmythOSVault", "SmythOSVaultSettings", "read_smythos_vault"]

_LARGEST = 2**24
_ENCRYPTED = frozenset({"encrypted", "algorithm", "data"})
# As long as the shortest key in use makes it.
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]{100,}")
_VARIABLE = re.compile(r"\$env\(\s*([A-Za-z_][A-Za-z0-9_]*)\s*\)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PROVIDERS: Mapping[str, str] = {"google": "googleai", "together": "togetherai"}
"""Our names of providers, whose keys models ask for, and those that SmythOS has for them."""
_SHAPE = 'write it as {"team": {"key": "secret"}}'

_Teams = Mapping[str, Mapping[str, str]]
_Stamp = tuple[int, int, int, int]


class SmythOSVaultSettings(Settings):
    """Which file, and whose keys in it are meant by a name alone."""

    file: Path = Field(description="the vault file of SmythOS")
    shared: str = Field(default="default", description="the team whose keys have plain names too")
    team: str | None = Field(default=None, description="a team whose keys come before those under plain names")
    share_with_teams: bool = Field(
        default=False, description="whether a team that lacks a key gets that of the shared team, as in SmythOS"
    )


class SmythOSVault(VaultConnector):
    """Reads the file in which SmythOS keeps the keys of teams; it cannot write, and has no other secrets.

    "team/ops/openai" is the key "openai" of the team "ops", "openai" that of the `shared` team. "google" and "together"
    are also what SmythOS calls "googleai" and "togetherai". `$env(NAME)` in a secret is the environment variable of
    that name, looked up when the secret is read. An empty text counts as missing. The file is read again when it has
    changed. It is plain text: whoever can read it has all keys.
    """

    name = "smythos"
    settings_type = SmythOSVaultSettings

    def __init__(self, settings: SmythOSVaultSettings) -> None:
        """Read nothing yet."""
        super().__init__(settings)
        self._path = settings.file
        self._shared = (settings.shared,)
        self._first = self._shared if settings.team is None else (settings.team, settings.shared)
        self._shares = settings.share_with_teams
        self._turn: asyncio.Lock | None = None
        self._kept: tuple[_Stamp, _Teams] | None = None

    async def start(self) -> None:
        """Get ready; the file is read when it is needed first."""
        # One reader at a time: the others find what it has read.
        self._turn = asyncio.Lock()

    async def stop(self) -> None:
        """Forget what was read."""
        self._turn = None
        self._kept = None

    async def ping(self) -> None:
        """Read the file, if it has changed."""
        await self._teams()

    async def get(self, name: str) -> SecretStr:
        """The secret. Raises NotFoundError, and ConnectorError for a variable that is not set."""
        teams = await self._teams()
        asked, key = self._meant(name)
        if "/" in name:
            text = next((teams[team][key] for team in asked if key in teams.get(team, {})), None)
        else:
            text = self._plain(teams).get(name)
        if text is None:
            where = " or ".join(map(repr, dict.fromkeys(asked)))
            raise NotFoundError(
                f"secret {name!r} is not in vault file {str(self._path)!r}",
                hint=f"write it there, as {key!r} of the team {where}" if asked else "check the name",
            )
        return SecretStr(_filled(text, name))

    async def names(self) -> list[str]:
        """All names, sorted: those of the teams, and the plain ones."""
        teams = await self._teams()
        found = {f"{Role.TEAM}/{team}/{key}" for team, keys in teams.items() for key in keys}
        return sorted(found.union(self._plain(teams)))

    def _plain(self, teams: _Teams) -> dict[str, str]:
        """What has a plain name."""
        found: dict[str, str] = {}
        for team in reversed(self._first):
            found |= teams.get(team, {})
        return {ours: found[theirs] for ours, theirs in _PROVIDERS.items() if theirs in found} | found

    def _meant(self, name: str) -> tuple[tuple[str, ...], str]:
        """The teams to ask, one after the other, and for which key; none where the name can mean no key."""
        first, slash, rest = name.partition("/")
        if not slash:
            return self._first, name
        team, _, key = rest.partition("/")
        if first != Role.TEAM or not team or not key or "/" in key:
            return (), ""
        return (team, *self._shared) if self._shares else (team,), key

    async def _teams(self) -> _Teams:
        if self._turn is None:
            raise ConnectorError(
                f"vault file {str(self._path)!r} is not open", hint="start the connector before its use"
            )
        async with self._turn:
            self._kept = await in_thread(_renewed, self._path, self._kept)
            return self._kept[1]


def read_smythos_vault(path: Path) -> Mapping[str, Mapping[str, str]]:
    """What a vault file of SmythOS holds: of each team its keys. Raises ConnectorError, which shows no secret."""
    return _renewed(path, None)[1]


def _renewed(path: Path, kept: tuple[_Stamp, _Teams] | None) -> tuple[_Stamp, _Teams]:
    """What is kept of the file, or the file as it is now."""
    try:
        stamp = _stamp(path)
        if kept is not None and kept[0] == stamp:
            return kept
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    except FileNotFoundError as error:
        raise ConnectorError(f"there is no vault file {str(path)!r}", hint="correct the path") from error
    except OSError as error:
        raise ConnectorError(
            f"vault file {str(path)!r} cannot be read: {error.strerror}", hint="check its permissions"
        ) from error
    # What is written while it is read has another stamp the next time.
    return stamp, _parsed(raw, path)


def _stamp(path: Path) -> _Stamp:
    """What changes with the file."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        # A pipe would be waited for, and be empty the second time.
        raise ConnectorError(f"vault file {str(path)!r} is no file", hint="give the path of the file itself")
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _parsed(raw: bytes, path: Path) -> _Teams:
    what = f"vault file {str(path)!r}"
    if len(raw) > _LARGEST:
        raise ConnectorError(f"{what} is larger than {_LARGEST} bytes", hint="it is no vault of SmythOS")
    if _BASE64.fullmatch(raw):
        raise ConnectorError(
            f"{what} is encrypted with an RSA key, which is not read here",
            hint="decrypt it into a file that only you may read, as with base64 -d and openssl pkeyutl -decrypt",
        )
    problem = ""
    try:
        # Also of the encodings that begin with a mark, as some editors write them.
        content = json.loads(raw, object_pairs_hook=unique_keys)
    except UnicodeDecodeError:
        problem = "it is not text"
    except RecursionError:
        problem = "it is nested too deep"
    except ValueError as error:
        problem = str(error)
    if problem:
        # Outside of the handlers, whose errors hold the whole text.
        raise ConnectorError(f"{what} is not valid JSON: {problem}", hint=f"fix it at that place; {_SHAPE}")
    if not isinstance(content, dict):
        raise ConnectorError(f"{what} holds no teams", hint=_SHAPE)
    if content.keys() >= _ENCRYPTED:
        raise ConnectorError(
            f"{what} is encrypted, in a form that SmythOS itself cannot read back",
            hint="write the keys anew as plain JSON, or keep them here: sre vault set NAME",
        )
    return {_team(team, what): _keys(keys, team, what) for team, keys in content.items()}


def _team(team: str, what: str) -> str:
    try:
        return check_id(team, "team id")
    except ConfigError as error:
        raise ConnectorError(f"{error.message} in {what}", hint=error.hint) from None


def _keys(keys: Any, team: str, what: str) -> dict[str, str]:
    if not isinstance(keys, dict):
        raise ConnectorError(f"the keys of team {team!r} in {what} are no table", hint=_SHAPE)
    found: dict[str, str] = {}
    for key, text in keys.items():
        where = f"key {key!r} of team {team!r} in {what}"
        # What is not shown may be a secret in the wrong place.
        if not isinstance(text, str) or _SURROGATE.search(text):
            raise ConnectorError(f"{where} is no text", hint=_SHAPE)
        name = _name(key, where)
        if name in found:
            raise ConnectorError(f"{where} stands there twice, in two ways of writing it", hint="keep one of them")
        if text:
            found[name] = text
    return found


def _name(key: str, where: str) -> str:
    """The key as handles ask for it."""
    try:
        parts = split_path(key)
    except ConfigError as error:
        raise ConnectorError(f"{where} has no legal name: {error.message}", hint="rename it") from None
    if len(parts) > 1:
        raise ConnectorError(f"{where} has a slash in its name", hint="rename it; a slash says whose a secret is")
    return parts[0]


def _filled(text: str, name: str) -> str:
    """A secret with the variables of the environment that it names."""

    def variable(match: re.Match[str]) -> str:
        # As in the env vault, an empty one counts as missing.
        value = os.environ.get(match[1])
        if not value:
            raise ConnectorError(
                f"secret {name!r} needs the environment variable {match[1]!r}, which is not set", hint=f"set {match[1]}"
            )
        return value

    return _VARIABLE.sub(variable, text)
