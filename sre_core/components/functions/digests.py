"""Hash functions by the names that Node.js and OpenSSL have for them."""

import hashlib
import re
from typing import TYPE_CHECKING

from sre_core.errors import ComponentError

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["digest", "digest_name", "new_hash"]

_DECORATION = re.compile(r"^(?:rsa-|id-rsassa-pkcs1-v1_5-with-|ssl3-)|(?:withrsa|withrsaencryption)$", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[-_/]")
_ALIASES = {
    "sha12": "sha1",
    "sha2224": "sha224",
    "sha2256": "sha256",
    "sha2384": "sha384",
    "sha2512": "sha512",
    "ripemd": "ripemd160",
    "rmd160": "ripemd160",
    "blake2b512": "blake2b",
    "blake2s256": "blake2s",
}
"""Other names, in small letters and without punctuation."""
_LENGTHS = {"shake_128": 16, "shake_256": 32}
"""Bytes of hash functions that can give any number of them, as OpenSSL has it."""


def digest_name(algorithm: str) -> str:
    """The name that hashlib has for an algorithm: "sha256" for "RSA-SHA256". Raises ComponentError for an unknown one.

    The error lists the known ones.
    """
    known = {_PUNCTUATION.sub("", name.lower()): name for name in hashlib.algorithms_available}
    plain = _PUNCTUATION.sub("", _DECORATION.sub("", algorithm.strip()).lower())
    name = known.get(_ALIASES.get(plain, plain))
    if name is None:
        names = ", ".join(sorted(name.replace("_", "-") for name in known.values()))
        raise ComponentError(f"there is no hash algorithm {algorithm!r}", hint=f"use one of {names}")
    return name


def new_hash(name: str, data: bytes = b"") -> "_Hash":
    """A hash of `data` so far, by a name of hashlib. Raises ComponentError where OpenSSL refuses it."""
    try:
        return hashlib.new(name, data, usedforsecurity=False)
    except ValueError as error:
        raise ComponentError(
            f"the hash algorithm {name!r} is switched off in this OpenSSL", hint="use another, such as sha256"
        ) from error


def digest(data: bytes, algorithm: str) -> bytes:
    """The hash of `data`. Raises ComponentError for an unknown algorithm."""
    name = digest_name(algorithm)
    found = new_hash(name, data)
    if name in _LENGTHS:
        return found.digest(_LENGTHS[name])  # type: ignore[call-arg]  # typeshed knows hashes of fixed length only
    return found.digest()
