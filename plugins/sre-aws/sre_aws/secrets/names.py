"""How names of secrets become names in AWS, which takes ASCII letters, digits and /_+=.@- alone."""

import re

from sre_core.errors import ConfigError

__all__ = ["LONGEST", "Names", "is_plain"]

LONGEST = 512
"""Characters that AWS takes as a name."""

_ESCAPE = "="
_SPECIAL = re.compile(rb"[^A-Za-z0-9/_+.@-]")
_ESCAPED = re.compile(rb"=([0-9a-f]{2})")


def is_plain(name: str) -> bool:
    """Whether a name is written in AWS as it is."""
    return not _SPECIAL.search(name.encode())


class Names:
    """Names below a prefix: "openai" is "sre/openai" in AWS. What AWS does not take is written as "=" and two hex
    digits for each byte of UTF-8.
    """

    def __init__(self, prefix: str) -> None:
        """`prefix` is plain, without slashes at its ends; empty for all names."""
        self.begin = f"{prefix}/" if prefix else ""

    def theirs(self, name: str) -> str:
        """The name in AWS. Raises ConfigError for one that cannot be written there."""
        try:
            escaped = _SPECIAL.sub(lambda found: f"{_ESCAPE}{found[0][0]:02x}".encode(), name.encode())
        except UnicodeEncodeError:
            raise ConfigError(f"illegal name {name!r}: it is not Unicode text", hint="use plain names") from None
        full = self.begin + escaped.decode()
        if not name or len(full) > LONGEST:
            raise ConfigError(
                f"a name of {len(full)} characters, with prefix and escapes; AWS takes 1 to {LONGEST}",
                hint="use a shorter name",
            )
        return full

    def ours(self, full: str) -> str | None:
        """The name of a secret that has this name in AWS; None if none of ours has."""
        if not full.startswith(self.begin):
            return None
        escaped = full[len(self.begin) :].encode()
        try:
            name = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), escaped).decode()
        except UnicodeDecodeError:
            return None
        # Somebody else's name may look like one of ours, and be found under another one.
        return name if name and self.theirs(name) == full else None
