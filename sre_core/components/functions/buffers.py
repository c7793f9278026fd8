"""Texts as bytes and bytes as texts, with the encodings of Buffer in Node.js and its lenience."""

import base64
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from sre_core.components.javascript import well_formed
from sre_core.errors import ComponentError

__all__ = ["Encoding", "as_bytes", "decode", "encode"]

_ALIASES = {"binary": "latin1", "ucs2": "utf16le"}
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def _canonical(name: Any) -> Any:
    """ "UTF-8" as "utf8", and the second names of encodings as their first."""
    if not isinstance(name, str):
        return name
    plain = name.lower().replace("-", "")
    return _ALIASES.get(plain, plain)


Encoding = Annotated[
    Literal["utf8", "hex", "base64", "base64url", "latin1", "ascii", "utf16le"], BeforeValidator(_canonical)
]
"""An encoding by any of the names that Node.js knows, also in capitals: "binary" is latin1, "ucs2" is utf16le."""


def as_bytes(value: Any, what: str) -> bytes:
    """A text in UTF-8, or bytes as they are. Raises ComponentError, which names `what` has the wrong value."""
    if isinstance(value, str):
        return well_formed(value).encode()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise ComponentError(
        f"{what} must be text or bytes, not a value of type {type(value).__name__!r}",
        hint="make a text of it first" if value is not None else "wire a text to it",
    )


def encode(data: bytes, encoding: Encoding) -> str:
    """Bytes as text. No bytes are wrong: what an encoding of characters cannot read becomes U+FFFD."""
    match encoding:
        case "hex":
            return data.hex()
        case "base64":
            return base64.b64encode(data).decode()
        case "base64url":
            return base64.urlsafe_b64encode(data).decode().rstrip("=")
        case "latin1":
            return data.decode("latin-1")
        case "ascii":
            return bytes(byte & 0x7F for byte in data).decode("ascii")
        case "utf16le":
            # A byte too many at the end does not count.
            return data[: len(data) // 2 * 2].decode("utf-16-le", "replace")
        case _:
            return data.decode("utf-8", "replace")


def decode(text: str, encoding: Encoding) -> bytes:
    """Text as bytes. No text is wrong: hex ends at what is not hex, base64 at "=", and skips all other characters.

    latin1 and ascii keep the low byte of each UTF-16 unit.
    """
    match encoding:
        case "hex":
            found = _HEX.match(text)
            return bytes.fromhex(found[0]) if found else b""
        case "base64" | "base64url":
            return _from_base64(text)
        case "latin1" | "ascii":
            return text.encode("utf-16-le", "surrogatepass")[::2]
        case "utf16le":
            return text.encode("utf-16-le", "surrogatepass")
        case _:
            return well_formed(text).encode()


def _from_base64(text: str) -> bytes:
    """Both alphabets, mixed or not, padded or not."""
    digits = _NOT_BASE64.sub("", text.partition("=")[0].replace("-", "+").replace("_", "/"))
    # One digit alone is six bits, too few for a byte.
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    return base64.b64decode(digits + "=" * (-len(digits) % 4))
