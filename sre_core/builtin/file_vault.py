"""Secrets in one encrypted file."""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import filelock
from pydantic import Field, SecretStr, model_validator

from sre_core.builtin import sealed
from sre_core.builtin.vault_key import VaultKey
from sre_core.builtin.worker_thread import in_thread
from sre_core.connectors.base import Settings
from sre_core.connectors.vault import VaultConnector
from sre_core.errors import ConnectorError, NotFoundError, UnavailableError

__all__ = ["FileVault", "FileVaultSettings"]

T = TypeVar("T")


class FileVaultSettings(Settings):
    """Where the vault lies and what opens it: a passphrase or a key file, not both.

    With neither, the passphrase is in the environment variable that `passphrase_env` names; without that, the
    key file is `vault.key` in the user's configuration folder, and is made with the first secret.
    """

    path: Path = Path(".sre/vault")
    passphrase: SecretStr | None = Field(default=None, min_length=1)
    key_file: Path | None = None
    passphrase_env: str = "SRE_VAULT_PASSPHRASE"  # noqa: S105 -- the name of a variable
    cost: int = Field(
        default=17,
        ge=sealed.MIN_COST,
        le=sealed.MAX_COST,
        description="of a guess at the passphrase of a new vault: 2**cost KiB of memory, and the time to fill it",
    )
    lock_timeout: float = Field(default=10.0, gt=0, description="seconds to wait for another process that writes")

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.passphrase is not None and self.key_file is not None:
            raise ValueError("give passphrase or key_file, not both")
        return self


class FileVault(VaultConnector):
    """Keeps secrets in a file that is encrypted as a whole and replaced as a whole.

    It protects a copy of the file: in a backup, in a repository, on a lost disk. It does not protect against
    whoever can read the key as well, which for a key file is every program of the same user, nor does it hide
    how much it keeps, nor notice that an older copy was put in its place. Nothing is written by reading. A wrong
    key raises UnauthenticatedError, a damaged file ConnectorError, and both leave the file as it is.
    """

    name = "file"
    settings_type = FileVaultSettings
    capabilities: ClassVar[frozenset[str]] = frozenset({"write"})

    def __init__(self, settings: FileVaultSettings) -> None:
        """Read nothing yet."""
        super().__init__(settings)
        self._path = settings.path
        self._patience = settings.lock_timeout
        self._key = VaultKey(
            passphrase=settings.passphrase,
            key_file=settings.key_file,
            passphrase_env=settings.passphrase_env,
            cost=settings.cost,
        )
        self._turn: asyncio.Lock | None = None

    async def start(self) -> None:
        """Get ready; the key is asked for when it is needed first."""
        # One call at a time: deriving a key takes much memory, twenty at once would take twenty times as much.
        self._turn = asyncio.Lock()

    async def stop(self) -> None:
        """Forget the key."""
        self._turn = None
        self._key.forget()

    async def ping(self) -> None:
        """Open the vault, if there is one."""
        await self._call(self._read)

    async def get(self, name: str) -> SecretStr:
        """The secret. Raises NotFoundError, UnauthenticatedError."""
        secrets = await self._call(self._read)
        if name not in secrets:
            raise NotFoundError(
                f"secret {name!r} is not in vault {str(self._path)!r}", hint=f"sre vault set {name}, or check the name"
            )
        return SecretStr(secrets[name])

    async def names(self) -> list[str]:
        """All names, sorted. Raises UnauthenticatedError."""
        return sorted(await self._call(self._read))

    async def set(self, name: str, secret: SecretStr) -> None:
        """Keep a secret; when this returns it is on the disk. Raises UnauthenticatedError."""

        def change(secrets: dict[str, str]) -> None:
            secrets[name] = secret.get_secret_value()

        await self._call(lambda: self._rewrite(change))

    async def delete(self, name: str) -> None:
        """Forget a secret; a missing one is not an error. Raises UnauthenticatedError."""

        def change(secrets: dict[str, str]) -> None:
            secrets.pop(name, None)

        await self._call(lambda: self._rewrite(change))

    async def _call(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread, with errors of the file system as ours."""
        if self._turn is None:
            raise ConnectorError(f"vault {str(self._path)!r} is not open", hint="start the connector before its use")

        def translated() -> T:
            try:
                return work()
            except filelock.Timeout as error:
                raise UnavailableError(
                    f"vault {str(self._path)!r} was locked by another process for {self._patience:g} s",
                    hint="try again, or raise lock_timeout",
                ) from error
            except OSError as error:
                raise ConnectorError(
                    f"vault {str(self._path)!r} cannot be read or written: {error.strerror}",
                    hint="check the permissions and the free space of its folder; the old file is still there",
                ) from error

        async with self._turn:
            return await in_thread(translated)

    def _read(self) -> dict[str, str]:
        raw = self._bytes()
        return {} if raw is None else self._open(raw, self._header(raw))

    def _bytes(self) -> bytes | None:
        """The file, or None when there is none."""
        try:
            with self._path.open("rb") as file:
                raw = file.read(sealed.LARGEST + 1)
        except FileNotFoundError:
            return None
        if len(raw) > sealed.LARGEST:
            raise ConnectorError(
                f"vault file {str(self._path)!r} is larger than {sealed.LARGEST} bytes", hint="it is no vault of ours"
            )
        return raw

    def _header(self, raw: bytes) -> sealed.Header:
        return sealed.read_header(raw, str(self._path))

    def _open(self, raw: bytes, header: sealed.Header) -> dict[str, str]:
        content = sealed.unseal(raw, self._key.of(header, str(self._path)), str(self._path))
        try:
            secrets: Any = json.loads(content)
        except ValueError:
            secrets = None
        # Raised outside the handler: the error of the parser holds the whole text.
        if not isinstance(secrets, dict) or not all(isinstance(value, str) for value in secrets.values()):
            raise ConnectorError(f"vault file {str(self._path)!r} does not hold secrets", hint="it is no vault of ours")
        return secrets

    def _rewrite(self, change: Callable[[dict[str, str]], None]) -> None:
        """Change the secrets, alone among all processes; nothing is written when nothing changes."""
        folder = self._path.parent
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Not thread-local: each call has its own lock object, and may be in another thread.
        with filelock.FileLock(f"{self._path}.lock", timeout=self._patience, mode=0o600, thread_local=False):
            raw = self._bytes()
            header = self._key.new_header() if raw is None else self._header(raw)
            old = {} if raw is None else self._open(raw, header)
            new = dict(old)
            change(new)
            if new == old:
                return
            key = self._key.of(header, str(self._path), new=raw is None)
            content = sealed.seal(json.dumps(new).encode(), key, header)
            if len(content) > sealed.LARGEST:
                raise ConnectorError(
                    f"vault {str(self._path)!r} would grow over {sealed.LARGEST} bytes",
                    hint="keep large data in storage",
                )
            _replace(self._path.resolve(), content)


def _replace(path: Path, content: bytes) -> None:
    """Put `content` in the place of the file, all or nothing, also when the power fails. The lock is held."""
    # A fixed name: what a killed process left there is overwritten, not heaped up.
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    if os.name != "nt":  # there, a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
