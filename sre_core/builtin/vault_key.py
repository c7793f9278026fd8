"""Where the key of an encrypted vault comes from, and how it is kept while the vault is open."""

import base64
import binascii
import os
import stat
from pathlib import Path

import platformdirs
from pydantic import SecretStr

from sre_core import logs
from sre_core.builtin.sealed import KEY_BYTES, Header, Kind, derive
from sre_core.errors import ConfigError, UnauthenticatedError

__all__ = ["VaultKey", "default_key_file"]

log = logs.get_logger(__name__)


def default_key_file() -> Path:
    """The key file of a user who configured nothing: in the configuration folder, apart from the vaults."""
    return platformdirs.user_config_path("sre") / "vault.key"


class VaultKey:
    """Finds the passphrase or the key file of a vault, and derives its key once."""

    def __init__(self, *, passphrase: SecretStr | None, key_file: Path | None, passphrase_env: str, cost: int) -> None:
        self._passphrase = passphrase
        self._key_file = key_file
        self._variable = passphrase_env
        self._cost = cost
        self._derived: tuple[Header, bytes, bytes] | None = None

    def forget(self) -> None:
        """Forget the derived key."""
        self._derived = None

    def new_header(self) -> Header:
        """The header of a vault that does not exist yet: it decides what opens the vault from then on."""
        by_passphrase = self._key_file is None and self._words() is not None
        return Header.new(Kind.PASSPHRASE if by_passphrase else Kind.KEY_FILE, self._cost)

    def of(self, header: Header, vault: str, *, new: bool = False) -> bytes:
        """The key of a vault. Only for a `new` one is a default key file made.

        Raises UnauthenticatedError when there is nothing to derive it from, ConfigError for a bad key file.
        """
        secret = self._secret(header.kind, vault, new=new)
        if self._derived is None or self._derived[:2] != (header, secret):
            self._derived = (header, secret, derive(secret, header))
        return self._derived[2]

    def _words(self) -> str | None:
        if self._passphrase is not None:
            return self._passphrase.get_secret_value()
        return os.environ.get(self._variable) or None

    def _secret(self, kind: Kind, vault: str, *, new: bool) -> bytes:
        if kind is Kind.PASSPHRASE:
            words = None if self._key_file else self._words()
            if words is None:
                raise UnauthenticatedError(
                    f"vault {vault!r} was made with a passphrase, and none is given",
                    hint=f"set {self._variable} in the environment, or `passphrase` of the file vault",
                )
            return words.encode()
        if self._passphrase is not None:
            raise UnauthenticatedError(
                f"vault {vault!r} was made with a key file, and a passphrase is given",
                hint="set `key_file` of the file vault, or leave both out for the default key file",
            )
        if self._key_file is not None:
            return _read_key(self._key_file, vault)
        path = default_key_file()
        if new and not path.exists():
            _make_key(path)
        return _read_key(path, vault)


def _read_key(path: Path, vault: str) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(1024)
            mode = os.fstat(file.fileno()).st_mode
    except FileNotFoundError as error:
        raise UnauthenticatedError(
            f"key file {str(path)!r} of vault {vault!r} does not exist",
            hint="restore it, or make one for a new vault with: openssl rand -base64 32",
        ) from error
    if os.name != "nt" and mode & (stat.S_IRGRP | stat.S_IROTH):
        log.warning("key_file_readable_by_others", path=str(path))
    try:
        key = base64.b64decode(raw.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"{str(path)!r} is not a key file: it must hold {KEY_BYTES} random bytes in base64",
            hint="make one with: openssl rand -base64 32",
        )
    return key


def _make_key(path: Path) -> None:
    """Make a random key file, whole or not at all; of two processes at once, one makes it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
        log.info("key_file_made", path=str(path))
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
