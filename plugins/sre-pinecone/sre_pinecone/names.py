"""Names of collections and ids of records in the characters that Pinecone allows, and names of indexes."""

import re
from urllib.parse import quote, unquote

from sre_core.connectors.vectors import Metric
from sre_core.errors import ConfigError

__all__ = [
    "LONGEST_ID",
    "LONGEST_NAMESPACE",
    "METRICS",
    "collection_of",
    "id_of",
    "index_made_for",
    "index_name",
    "namespace_of",
    "namespace_prefix",
    "record_id",
]

LONGEST_ID = 512
LONGEST_NAMESPACE = 512
METRICS = {Metric.COSINE: "cosine", Metric.DOT: "dotproduct", Metric.L2: "euclidean"}

_EMPTY_ID = "%"
_ESCAPE = re.compile(r"_(_|[0-9a-f]{2})")
_PLAIN = re.compile(r"[A-Za-z0-9.-]")


def namespace_of(collection: str) -> str:
    """ "agent/a1/notes" is the namespace `agent__a1__notes`.

    `__` stands for a slash, which would not survive in a URL everywhere; `_` and two hexadecimal digits for a byte that
    is no letter, digit, point or hyphen. Raises ConfigError when it gets too long.
    """
    name = namespace_prefix(collection)
    if len(name) > LONGEST_NAMESPACE:
        raise ConfigError(
            f"the name {collection[:80]!r}… needs {len(name)} characters in Pinecone, which has {LONGEST_NAMESPACE}",
            hint="use a shorter one",
        )
    return name


def namespace_prefix(path: str) -> str:
    """What the namespaces of a collection, and of those below it, begin with."""
    try:
        raw = path.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"illegal name {path!r}", hint="a name is Unicode text, without surrogates") from error
    return "".join(_encoded(chr(byte)) for byte in raw)


def collection_of(namespace: str) -> str | None:
    """The path that `namespace_of` made a namespace of; None when it did not."""
    raw, position = bytearray(), 0
    while position < len(namespace):
        if namespace[position] != "_":
            raw += namespace[position].encode()
            position += 1
            continue
        escape = _ESCAPE.match(namespace, position)
        if escape is None:
            return None
        raw += b"/" if escape[1] == "_" else bytes.fromhex(escape[1])
        position = escape.end()
    try:
        found = raw.decode()
    except UnicodeDecodeError:
        return None
    return found if namespace_prefix(found) == namespace else None


def record_id(id: str) -> str:  # noqa: A002 -- the word of the contract
    """An id in ASCII, other characters and blanks written as in a URL. Raises ConfigError when it is too long."""
    try:
        encoded = quote(id, safe="/:#@") if id else _EMPTY_ID
    except UnicodeEncodeError as error:
        raise ConfigError(f"the id {id[:80]!r} is no Unicode text", hint="leave surrogates out") from error
    if len(encoded) > LONGEST_ID:
        raise ConfigError(
            f"the id {id[:80]!r}… needs {len(encoded)} characters in Pinecone, which has {LONGEST_ID}",
            hint="use a shorter one",
        )
    return encoded


def id_of(record: str) -> str:
    """The id that `record_id` made this of."""
    return "" if record == _EMPTY_ID else unquote(record)


def index_name(prefix: str, dimension: int, metric: Metric) -> str:
    """The index for collections of this dimension and metric, such as `sre-1536-cosine`."""
    return f"{prefix}-{dimension}-{METRICS[metric]}"


def index_made_for(prefix: str, name: str) -> tuple[int, Metric] | None:
    """What `index_name` made this name of; None when it did not."""
    for metric, word in METRICS.items():
        found = re.fullmatch(rf"{re.escape(prefix)}-([1-9][0-9]*)-{word}", name)
        if found is not None:
            return int(found[1]), metric
    return None


def _encoded(character: str) -> str:
    if character == "/":
        return "__"
    return character if _PLAIN.fullmatch(character) else f"_{ord(character):02x}"
