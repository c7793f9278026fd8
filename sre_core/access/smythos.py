"""The compact ACL text of SmythOS, read and written at the edge only.

`h:xxh3|u:63edb0950fc8c927/o|a:fcf1a5605d79016e/rw`: the hash algorithm, then per role the hashed ids and their
levels. What the text calls xxh3 is XXH64 with seed 0, in lower-case hexadecimal without leading zeros.
"""

from collections.abc import Iterable

import xxhash

from sre_core.access.acl import ACL, Access
from sre_core.access.candidate import Candidate, Role
from sre_core.errors import ConfigError

__all__ = ["from_compact", "hash_id", "to_compact"]

_ROLES = {"u": Role.USER, "a": Role.AGENT, "t": Role.TEAM, "p": Role.PUBLIC}
_LETTERS = {role: letter for letter, role in _ROLES.items()}
_LEVELS = {"r": Access.READ, "w": Access.WRITE, "o": Access.OWN}
# There, a level does not include the lower ones; here, it does.
_WRITTEN = {Access.READ: "r", Access.WRITE: "rw", Access.OWN: "orw"}


def hash_id(id: str) -> str:  # noqa: A002 -- the field's own name
    """An id as the text holds it."""
    return format(xxhash.xxh64_intdigest(id.encode()), "x")


def to_compact(acl: ACL) -> str:
    """Write an ACL. Sections come in the order u, a, t, p, ids sorted within."""
    sections = ["h:xxh3"]
    for letter, role in _ROLES.items():
        grants = sorted((c.id, access) for c, access in acl.grants if c.role is role)
        if grants:
            sections.append(f"{letter}:" + ",".join(f"{hash_id(id_)}/{_WRITTEN[access]}" for id_, access in grants))
    return "|".join(sections)


def from_compact(text: str, candidates: Iterable[Candidate]) -> tuple[ACL, tuple[str, ...]]:
    """Read an ACL; hashes are recognised among `candidates` (and the public).

    Returns the ACL, and as `letter:hash` the grants of ids that are not among them, which are lost otherwise.
    Raises ConfigError. The level "n" (none) grants nothing; unknown roles are passed over, as the original does.
    """
    algorithm, *sections = text.split("|")
    if algorithm not in {"h:xxh3", "h:none"}:
        raise ConfigError(f"{text!r} is not compact ACL text", hint="it begins with 'h:xxh3' or 'h:none'")
    written = hash_id if algorithm == "h:xxh3" else str
    known = {(_LETTERS[c.role], written(c.id)): c for c in (*candidates, Candidate.public())}
    acl, lost = ACL(), []
    for section in sections:
        letter, _, entries = section.partition(":")
        if letter not in _ROLES or not entries:
            continue
        for entry in entries.split(","):
            hashed, slash, levels = entry.partition("/")
            if not hashed or not slash or set(levels) - {*_LEVELS, "n"}:
                raise ConfigError(f"{entry!r} is not a grant in compact ACL text", hint="write HASH/LEVELS, of n o r w")
            granted = max((_LEVELS[level] for level in levels if level in _LEVELS), default=None)
            candidate = known.get((letter, hashed))
            if candidate is None:
                lost.append(f"{letter}:{hashed}")
            elif granted is not None:
                acl = acl.grant(candidate, granted)
    return acl, tuple(lost)
