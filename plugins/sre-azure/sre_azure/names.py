"""Keys as names of blobs, and back; and their order, which is not always that of keys.

Azure drops dots at the end of each part of a name, without a word. A part that ends with a dot or a space gets a "!"
at its end, and one that ends with a dot or a space and some "!" one more of them. Names are sorted as UTF-16 by some
servers, so that what lies beyond its first 65,536 characters comes too early.
"""

import re

from sre_core.builtin.local_paths import check_key
from sre_core.errors import ConfigError

__all__ = ["Names"]

_LONGEST = 1024  # characters, a limit of the service
_MOST_PARTS = 254  # another one

_FRAIL_END = re.compile(r"([. ]!*)(?=/|\Z)")
_ESCAPED_END = re.compile(r"([. ]!*)!(?=/|\Z)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
# What a "!" in the name of another key sorts behind though it is greater; or a character beyond 65,536.
_EARLY = re.compile(r"[. ]!*[/ ]|[\U00010000-\U0010ffff]")


class Names:
    """A key is the name of its blob below the prefix, but for parts with an end that Azure would not keep."""

    def __init__(self, prefix: str) -> None:
        """`prefix` is a folder without a slash at its end, or empty."""
        self._before = f"{_escaped(prefix)}/" if prefix else ""

    def name(self, key: str) -> str:
        """The name of the blob with this key. Raises ConfigError when the service cannot have it."""
        parts = check_key(key)
        name = self._before + _escaped(key)
        if "\\" in key or _CONTROL.search(key):
            raise ConfigError(
                f"illegal key {key!r}: Azure takes neither backslashes nor control characters", hint="leave them out"
            )
        # They count as the service does, in UTF-16.
        if len(name.encode("utf-16-le")) // 2 > _LONGEST or self._before.count("/") + len(parts) > _MOST_PARTS:
            raise ConfigError(
                f"the key {key[:60]!r}… is too long: Azure takes {_LONGEST} characters and {_MOST_PARTS} parts "
                "with the prefix",
                hint="use a shorter key",
            )
        return name

    def folder(self, prefix: str) -> str:
        """What the names of all blobs below `prefix` begin with; for the empty prefix those of all blobs."""
        return f"{self.name(prefix)}/" if prefix else self._before

    def key(self, name: str) -> str | None:
        """The key of a blob; None for what is no key, such as the "folder/" that other programs make."""
        key = _ESCAPED_END.sub(r"\1", name.removeprefix(self._before))
        try:
            return key if self.name(key) == name else None
        except ConfigError:
            return None

    @staticmethod
    def comes_early(below: str) -> bool:
        """Whether a list may have a key before others that are smaller. `below` is the part after what is listed.

        None comes too late: after a key that does not come early, all keys that follow are greater.
        """
        return _EARLY.search(below) is not None


def _escaped(key: str) -> str:
    return _FRAIL_END.sub(r"\1!", key)
