"""Keys as names of objects in a bucket, and back."""

from sre_core.builtin.local_paths import check_key
from sre_core.errors import ConfigError

__all__ = ["Names"]

_LONGEST = 1024  # bytes of UTF-8, a limit of the service


class Names:
    """A key is the name of its object, below the prefix. The service lists names in the order of keys."""

    def __init__(self, prefix: str) -> None:
        """`prefix` is a folder without a slash at its end, or empty."""
        self._before = f"{prefix}/" if prefix else ""

    def name(self, key: str) -> str:
        """The name of the object with this key. Raises ConfigError when the service cannot have it."""
        check_key(key)
        name = self._before + key
        if "\r" in name or "\n" in name:
            raise ConfigError(f"illegal key {key!r}: Google Cloud Storage takes no line breaks", hint="leave them out")
        if len(name.encode()) > _LONGEST:
            raise ConfigError(
                f"the key {key[:60]!r}… is too long: Google Cloud Storage takes {_LONGEST} bytes with the prefix",
                hint="use a shorter key",
            )
        return name

    def folder(self, prefix: str) -> str:
        """What the names of all objects below `prefix` begin with; for the empty prefix those of all objects."""
        return f"{self.name(prefix)}/" if prefix else self._before

    def key(self, name: str) -> str | None:
        """The key of an object; None for what is no key, such as the "folder/" that other programs make."""
        key = name.removeprefix(self._before)
        try:
            check_key(key)
        except ConfigError:
            return None
        return key
