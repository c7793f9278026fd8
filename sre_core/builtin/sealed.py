"""The format of an encrypted file: a readable header, AES-256-GCM over the rest, and a digest of it all.

    magic "SREVAULT" | version | kind | cost | salt (16) | nonce (12) | ciphertext and tag | SHA-256 (32)

The header is authenticated with the content. The digest keeps two failures apart that encryption alone shows
as one: a file that was damaged does not match it, a file that does match and cannot be opened needs another
key (or was altered on purpose, by somebody who also wrote a new digest).
"""

import os
import struct
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from sre_core.errors import ConnectorError, UnauthenticatedError

__all__ = ["KEY_BYTES", "LARGEST", "MAX_COST", "MIN_COST", "Header", "Kind", "derive", "read_header", "seal", "unseal"]

KEY_BYTES = 32
LARGEST = 16 * 1024 * 1024
"""Largest file that is read or written, in bytes."""

MIN_COST, MAX_COST = 14, 18
"""Bounds of the cost that a file may ask for: 2**cost blocks of 1 KiB, so 16 to 256 MiB of memory."""

_MAGIC = b"SREVAULT"
_VERSION = 1
_LAYOUT = struct.Struct(">8sBBB16s12s")
_TAG_BYTES = 16
_DIGEST_BYTES = 32


class Kind(IntEnum):
    """What the key is made from."""

    KEY_FILE = 0
    PASSPHRASE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """How the key is derived. Stays the same while a file is rewritten, so that a key is derived once."""

    kind: Kind
    cost: int
    salt: bytes

    @classmethod
    def new(cls, kind: Kind, cost: int) -> "Header":
        """A header with a salt of its own; `cost` matters to passphrases only."""
        return cls(kind=kind, cost=cost, salt=os.urandom(16))


def derive(secret: bytes, header: Header) -> bytes:
    """The key of a file, from a passphrase (slow and large on purpose: scrypt) or from a key file."""
    if header.kind is Kind.PASSPHRASE:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        return Scrypt(salt=header.salt, length=KEY_BYTES, n=2**header.cost, r=8, p=1).derive(secret)
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), KEY_BYTES, salt=header.salt, info=b"sre vault").derive(secret)


def seal(content: bytes, key: bytes, header: Header) -> bytes:
    """The bytes of a file. Each call uses a new nonce."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(12)
    head = _LAYOUT.pack(_MAGIC, _VERSION, header.kind, header.cost, header.salt, nonce)
    body = head + AESGCM(key).encrypt(nonce, content, head)
    return body + sha256(body).digest()


def read_header(raw: bytes, where: str) -> Header:
    """The header of a file named `where`. Raises ConnectorError when the file is damaged or no such file."""
    if not raw.startswith(_MAGIC[: len(raw)]) or not raw:
        raise ConnectorError(f"{where!r} is not a vault file", hint="restore it from a backup, or move it away")
    if (
        len(raw) < _LAYOUT.size + _TAG_BYTES + _DIGEST_BYTES
        or sha256(raw[:-_DIGEST_BYTES]).digest() != raw[-_DIGEST_BYTES:]
    ):
        raise ConnectorError(
            f"vault file {where!r} is damaged: bytes are missing or changed; it was left as it is",
            hint="restore it from a backup, or move it away and set the secrets again",
        )
    _, version, kind, cost, salt, _ = _LAYOUT.unpack_from(raw)
    if version != _VERSION or kind not in set(Kind):
        raise ConnectorError(
            f"vault file {where!r} has version {version}, kind {kind}, which this release cannot read",
            hint="use the release of sre-runtime that wrote it, or a newer one",
        )
    if not MIN_COST <= cost <= MAX_COST:
        raise ConnectorError(
            f"vault file {where!r} asks for a scrypt cost of 2**{cost}, outside 2**{MIN_COST} to 2**{MAX_COST}",
            hint="it was not written by sre-runtime; move it away",
        )
    return Header(kind=Kind(kind), cost=cost, salt=salt)


def unseal(raw: bytes, key: bytes, where: str) -> bytes:
    """The content of a file whose header was read. Raises UnauthenticatedError when `key` is not its key."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    head = raw[: _LAYOUT.size]
    nonce = _LAYOUT.unpack(head)[-1]
    try:
        return AESGCM(key).decrypt(nonce, raw[_LAYOUT.size : -_DIGEST_BYTES], head)
    except InvalidTag as error:
        raise UnauthenticatedError(
            f"the key does not open vault file {where!r}; the file was left as it is",
            hint="use the passphrase or key file that it was made with",
        ) from error
