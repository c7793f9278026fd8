"""Resources: what access is asked for, as paths compared by segments."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sre_core.errors import ConfigError

__all__ = ["MAX_PART_BYTES", "Resource", "check_part", "split_path"]

MAX_PART_BYTES = 512
"""Longest part of a path, in bytes of UTF-8."""

_LOOK_LIKE_SEPARATORS = frozenset("/\\")


def check_part(part: str, path: str) -> str:
    """Return one part of `path` in Unicode form NFC; raises ConfigError when it could mean another place.

    Nothing is ever decoded: "%2e%2e" is a name like any other, and stays one in every connector.
    """
    part = unicodedata.normalize("NFC", part)
    # What some file systems fold to "." or "/" (full-width forms, one-dot leaders) is refused, not guessed at.
    folded = unicodedata.normalize("NFKC", part)
    if not part or folded.strip(" ") in {"", ".", ".."}:
        why = "it has an empty part, '.' or '..'"
    elif any(unicodedata.category(c) in {"Cc", "Cs", "Cf"} for c in part):
        why = "it has control or invisible characters"
    elif _LOOK_LIKE_SEPARATORS & set(folded):
        why = "it has a backslash, or a character that looks like a separator"
    elif len(part.encode()) > MAX_PART_BYTES:
        why = f"a part is longer than {MAX_PART_BYTES} bytes"
    else:
        return part
    raise ConfigError(
        f"illegal path {path!r}: {why}", hint="use relative paths of plain names, as in 'notes/today.txt'"
    )


@lru_cache(maxsize=4096)
def split_path(path: str) -> tuple[str, ...]:
    """Split "a/b" into checked parts; raises ConfigError on anything that could leave its place."""
    if path.isascii() and path.isprintable() and "\\" not in path:
        parts = tuple(path.split("/"))
        # The common case, without looking at every character.
        if all(part.strip(" .") and len(part) <= MAX_PART_BYTES for part in parts):
            return parts
    return tuple(check_part(part, path) for part in path.split("/"))


@dataclass(frozen=True, slots=True)
class Resource:
    """A path whose first part is the service, as in "storage/agent/a1/notes.txt"."""

    parts: tuple[str, ...]

    @classmethod
    def parse(cls, path: str) -> "Resource":
        """Read a path. Raises ConfigError on empty parts, "..", NUL, separators in disguise and the like."""
        return cls(split_path(path))

    def child(self, path: str) -> "Resource":
        """The resource at `path` below this one."""
        return Resource(self.parts + split_path(path))

    def lineage(self) -> Iterator["Resource"]:
        """This resource, then its parents, nearest first."""
        for length in range(len(self.parts), 0, -1):
            yield Resource(self.parts[:length])

    def is_within(self, other: "Resource") -> bool:
        """Whether this is `other` or lies below it, segment by segment."""
        return self.parts[: len(other.parts)] == other.parts

    def __str__(self) -> str:
        """The text that `parse` reads."""
        return "/".join(self.parts)
