"""How keys become file names: one key, one place, on every file system.

A name is built from ASCII letters, digits, ".", "_", "-" and inner spaces; every other byte of the UTF-8 text is
written "%xx". Capitals stay readable, and a mask of where they are ("README.md=3f") keeps "README.md" and
"readme.md" apart where the file system does not. A part too long for one name goes on in a folder whose name
ends with "+". The file of an object ends with "@sre", so that "a" and "a/b" may both exist.
"""

import re
from collections.abc import Iterator

from sre_core.errors import ConfigError

__all__ = ["OBJECT", "check_key", "decode_name", "encode_key", "encode_part"]

OBJECT = "@sre"
"""Ends the name of an object's file; no part of a key is ever written so."""

_GOES_ON = "+"
_MASK = "="
_LONGEST = 160
"""Room for one piece of a part; with escapes, mask and ending a name stays below 255 bytes."""

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._- ")
_ESCAPES = tuple(chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in range(256))
_ORDINARY = re.compile(r"[a-z0-9_-][a-z0-9._-]{0,62}[a-z0-9_-]|[a-z0-9_-]")
# Windows takes these for devices, whatever follows the first dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]) *(\.|$)", re.IGNORECASE)
_NAME = re.compile(r"([a-z0-9._ %-]+)(?:=([0-9a-f]+))?", re.IGNORECASE)
_ESCAPED = re.compile(rb"%([0-9a-f]{2})", re.IGNORECASE)


def check_key(key: str) -> tuple[str, ...]:
    """The parts of `key`. Raises ConfigError when it could mean a place outside, or none.

    The handle has checked keys before; this is for callers that use the connector alone.
    """
    parts = tuple(key.split("/"))
    if "\0" in key or any(part in {"", ".", ".."} for part in parts):
        raise ConfigError(
            f"illegal key {key!r}: it has an empty part, '.', '..' or NUL",
            hint="use relative paths of plain names, as in 'notes/today.txt'",
        )
    try:
        key.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"illegal key {key!r}: it is not Unicode text", hint="use text without surrogates") from None
    return parts


def encode_key(parts: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """The folders and the file name of the object with the key of these `parts`."""
    names = [name for part in parts for name in encode_part(part)]
    return tuple(names[:-1]), names[-1] + OBJECT


def encode_part(part: str) -> tuple[str, ...]:
    """The names that stand for one part of a key: one, or several when it is long."""
    # Most parts are written as they are; this spares looking at each of their bytes.
    if _ORDINARY.fullmatch(part) and not _DEVICE.match(part):
        return (part,)
    *pieces, last = _pieces(part.encode())
    return (*(_encode_piece(piece) + _GOES_ON for piece in pieces), _encode_piece(last))


def decode_name(name: str) -> tuple[bytes, bool] | None:
    """The bytes of a part that `name` stands for, and whether the part goes on inside; None for foreign names.

    The bytes are right for every name that `encode_part` gives. A foreign name may be taken for one of those, so
    compare with what `encode_part` makes of the whole part.
    """
    goes_on = name.endswith(_GOES_ON)
    match = _NAME.fullmatch(name.removesuffix(_GOES_ON))
    if match is None:
        return None
    body, mask = match[1].lower().encode(), int(match[2] or "0", 16)
    piece = bytearray(_ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), body))
    for index in range(min(len(piece), mask.bit_length())):
        if mask >> index & 1:
            piece[index : index + 1] = piece[index : index + 1].upper()
    return bytes(piece), goes_on


def _pieces(data: bytes) -> Iterator[bytes]:
    """`data` cut so that each piece fits into one name; a cut may go through a character."""
    begin = length = 0
    for index, byte in enumerate(data):
        step = len(_ESCAPES[byte])
        if length + step > _LONGEST:
            yield data[begin:index]
            begin, length = index, 0
        length += step
    yield data[begin:]


def _encode_piece(piece: bytes) -> str:
    written = [_ESCAPES[byte] for byte in piece]
    # A leading dot would hide the file and is kept for the connector's own folders.
    if piece[:1] in {b".", b" "} or _DEVICE.match("".join(written)):
        written[0] = f"%{piece[0]:02x}"
    # Windows drops these at the end of a name.
    if piece[-1:] in {b".", b" "}:
        written[-1] = f"%{piece[-1]:02x}"
    mask = sum(1 << index for index, byte in enumerate(piece) if chr(byte).isupper() and byte < 128)
    return "".join(written) + (f"{_MASK}{mask:x}" if mask else "")
