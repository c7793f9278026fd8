"""Metadata as Azure can hold them, in names like those of C# and values of printable ASCII, and back."""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

__all__ = ["EXPIRES", "WRITTEN", "packed", "unpacked"]

EXPIRES = "sre_expires"
"""Holds the expiry, in seconds since the epoch."""
WRITTEN = "sre_written"
"""Holds the time of the write where it was changed since, in seconds since the epoch."""

_OURS = "sre_"
_HEX = "sre_x"
_THEIRS = "encrypted"
"""A word of the library's own: it leaves metadata of this name out of lists."""
# Names are compared without regard to case, so capitals are not plain; nor is "_" alone to what Azurite is made of.
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PLAIN = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_FRAIL_SPACE = re.compile(r"^ | $|(?<= ) ")
_EMPTY = "%"


def packed(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata to store. A name that Azure cannot hold is written in hexadecimal."""
    return {_packed_name(name): _packed_value(value) for name, value in (metadata or {}).items()}


def unpacked(kept: Mapping[str, str]) -> dict[str, str]:
    """The user's metadata of what is stored."""
    return {
        _unpacked_name(name): "" if value == _EMPTY else unquote(value)
        for name, value in kept.items()
        if name not in {EXPIRES, WRITTEN}
    }


def _packed_name(name: str) -> str:
    if _PLAIN_NAME.fullmatch(name) and not name.startswith(_OURS) and name != _THEIRS:
        return name
    return _HEX + name.encode().hex()


def _unpacked_name(name: str) -> str:
    if not name.startswith(_HEX):
        return name
    try:
        return bytes.fromhex(name.removeprefix(_HEX)).decode()
    except ValueError:
        return name  # somebody else's


def _packed_value(value: str) -> str:
    if not value:
        return _EMPTY
    # On their way headers lose spaces at their ends, and may lose repeated ones.
    return _FRAIL_SPACE.sub("%20", quote(value, safe=_PLAIN))
