"""Names of collections, which are paths, as names that Milvus allows: letters, digits and underscores."""

import hashlib
import re

from sre_core.errors import ConfigError

__all__ = ["LONGEST_NAME", "contract_name", "is_hashed", "milvus_name", "shared_name"]

LONGEST_NAME = 255
"""Characters of a name in Milvus; also the bytes of a folder's name, which it is in a file."""

_ESCAPE = re.compile(r"_(_|[0-9a-f]{2})")
_HASHED = "_h"


def milvus_name(prefix: str, collection: str) -> str:
    """ "agent/a1/notes" with the prefix "sre" is `sre_agent__a1__notes`.

    `__` stands for a slash, `_` and two hexadecimal digits for a byte that is neither a digit nor a small letter, so
    that names differ also where a file system ignores case. What would get too long is hashed: see `is_hashed`.
    Raises ConfigError for text that is no Unicode.
    """
    try:
        raw = collection.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"illegal name {collection!r}", hint="a name is Unicode text, without surrogates") from error
    name = f"{prefix}_{''.join(_encoded(byte) for byte in raw)}"
    if len(name) <= LONGEST_NAME:
        return name
    # No name encodes to this: what follows the underscore is neither one nor hexadecimal.
    return f"{prefix}_{_HASHED}{hashlib.sha256(raw).hexdigest()}"


def contract_name(prefix: str, name: str) -> str | None:
    """The path that `milvus_name` made a name of; None when it did not, or when the path was hashed."""
    start = f"{prefix}_"
    if not name.startswith(start):
        return None
    raw, position, encoded = bytearray(), 0, name[len(start) :]
    while position < len(encoded):
        if encoded[position] != "_":
            raw += encoded[position].encode()
            position += 1
            continue
        escape = _ESCAPE.match(encoded, position)
        if escape is None:
            return None
        raw += b"/" if escape[1] == "_" else bytes.fromhex(escape[1])
        position = escape.end()
    try:
        found = raw.decode()
    except UnicodeDecodeError:
        return None
    # What begins with a slash is shared; see there.
    return found if milvus_name(prefix, found) == name and not found.startswith("/") else None


def is_hashed(prefix: str, name: str) -> bool:
    """Whether a name in Milvus is of a path that was too long: the path is then kept with the collection."""
    return re.fullmatch(rf"{prefix}_{_HASHED}[0-9a-f]{{64}}", name) is not None


def shared_name(prefix: str, what: str) -> str:
    """The name of a collection in Milvus that holds records of many paths, such as `sre___cosine_384`.

    No path has it, since none begins with a slash.
    """
    return f"{prefix}___{what}"


def _encoded(byte: int) -> str:
    character = chr(byte)
    if character == "/":
        return "__"
    return character if character.isascii() and (character.islower() or character.isdigit()) else f"_{byte:02x}"
