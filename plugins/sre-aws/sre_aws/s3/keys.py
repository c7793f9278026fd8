"""How keys of ours become keys of a bucket, and which names there we keep for ourselves."""

from sre_core.builtin.local_paths import check_key
from sre_core.errors import ConfigError

__all__ = ["LONGEST", "Keys"]

LONGEST = 1024
"""Bytes of UTF-8 that S3 takes as a key."""

_OWN = ".sre/"
_ESCAPE = "!"
_END = " "


class Keys:
    """The keys below one folder of a bucket.

    Objects lie under their own names. In ".sre/" beside them are our notes: ".sre/expiry/<key> <milliseconds>" says
    that the object with that key may expire at that time. Notes have the order of the keys that they are about: a
    space ends the key in them, and whatever sorts before "!" or is one is written as "!" and two hex digits.
    """

    def __init__(self, prefix: str) -> None:
        """`prefix` is the folder, without slashes at its ends; empty for the whole bucket."""
        self._folder = f"{prefix}/" if prefix else ""
        self._own = self._folder + _OWN
        self._notes = f"{self._own}expiry/"

    @property
    def behind_own(self) -> str:
        """Sorts behind all names that are not objects, and before any object that follows them."""
        return f"{self._own}\U0010ffff"

    def theirs(self, key: str) -> str:
        """The name in the bucket of the object `key`. Raises ConfigError where there can be none."""
        check_key(key)
        name = self._folder + key
        if len(name.encode()) > LONGEST:
            raise ConfigError(
                f"the key {key[:80]!r}… is too long for S3, which takes {LONGEST} bytes of UTF-8 with its prefix",
                hint="use shorter names",
            )
        if name.startswith(self._own):
            raise ConfigError(f"illegal key {key!r}: this storage keeps its own notes below {_OWN!r}")
        return name

    def below(self, prefix: str) -> str:
        """What the names of all objects below `prefix`, or of all there are, begin with. Raises ConfigError."""
        return f"{self.theirs(prefix)}/" if prefix else self._folder

    def ours(self, name: str) -> str | None:
        """The key of the object with this name in the bucket; None if it is no object of ours."""
        key = name.removeprefix(self._folder)
        # Other tools mark a folder with a slash at the end; and what is no path of names, nobody can ask for.
        if name.startswith(self._own) or any(part in {"", ".", ".."} for part in key.split("/")):
            return None
        return key

    def note(self, key: str, expires: float) -> str:
        """The name of the note that `key` may expire at a time in seconds since the epoch. Raises ConfigError."""
        name = f"{self._notes}{_escaped(key)}{_END}{round(expires * 1000)}"
        if len(name.encode()) > LONGEST:
            raise ConfigError(
                f"the key {key[:80]!r}… is too long for an object that expires", hint="use names of 900 bytes at most"
            )
        return name

    def notes_below(self, prefix: str) -> str:
        """What the names of all notes about objects below `prefix` begin with."""
        return f"{self._notes}{_escaped(prefix)}/" if prefix else self._notes

    def read_note(self, name: str) -> tuple[str, float] | None:
        """The key and the time that a note is about; None if it is no note of ours."""
        escaped, end, milliseconds = name.removeprefix(self._notes).partition(_END)
        if not end or not milliseconds.isascii() or not milliseconds.isdigit():
            return None
        key = _plain(escaped)
        return None if key is None else (key, int(milliseconds) / 1000)

    def own_within(self, names: str) -> str | None:
        """What the names of our own notes begin with, if they are among all those that begin with `names`."""
        return self._own if self._own.startswith(names) else None

    def probe(self, word: str) -> str:
        """A name that never has an object for long, for trying out what a server does."""
        return f"{self._own}probe/{word}"


def _escaped(key: str) -> str:
    return "".join(f"{_ESCAPE}{ord(char):02x}" if char <= _ESCAPE else char for char in key)


def _plain(escaped: str) -> str | None:
    """What was escaped; None if nothing of ours was."""
    first, *rest = escaped.split(_ESCAPE)
    try:
        plain = first + "".join(chr(int(part[:2], 16)) + part[2:] for part in rest)
    except ValueError:
        return None
    return plain if _escaped(plain) == escaped else None
