"""Addresses of stored files, `smythfs://default.team/a1/report.pdf`, and whose home they lie in."""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from sre_core.access.candidate import Candidate, Role
from sre_core.access.resource import split_path
from sre_core.errors import ComponentError, ConfigError

__all__ = ["Address", "is_address"]

_SCHEME = re.compile(r"smythfs://", re.IGNORECASE)
_ADDRESS = re.compile(r"smythfs://([^/?#]+)\.(team|user|agent)/([^?#]+)(?:[?#].*)?", re.IGNORECASE | re.DOTALL)
# What a URL need not escape; "%" among them, as what is escaped already stays as it is.
_AS_IT_IS = "/%:@!$&'()*+,;=-._~"


@dataclass(frozen=True, slots=True)
class Address:
    """A place in somebody's home. It says where a file lies, and nothing about who may read it."""

    home: Candidate
    path: str

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read `smythfs://<id>.<team, user or agent>/<path>`; a query and a fragment do not count.

        The path is the name that the storage has: "%20" is not decoded. Raises ComponentError, also for "..".
        """
        match = _ADDRESS.fullmatch(text)
        if match is None:
            raise ComponentError(
                f"illegal address {text[:200]!r}", hint="write smythfs://ID.team/PATH, ID.user or ID.agent"
            )
        try:
            # Before it is escaped: that would hide a backslash.
            split_path(match[3])
            path = quote(match[3], safe=_AS_IT_IS)
            split_path(path)
            home = Candidate(Role(match[2].lower()), match[1])
        except ConfigError as error:
            raise ComponentError(f"illegal address {text[:200]!r}: {error}", hint=error.hint) from error
        return cls(home, path)

    @property
    def name(self) -> str:
        """The file's own name, as people write it."""
        return unquote(self.path.rpartition("/")[2])

    def __str__(self) -> str:
        """The text that `parse` reads; the same for all texts that mean this place."""
        return f"smythfs://{self.home.id}.{self.home.role.value}/{self.path}"


def is_address(text: str) -> bool:
    """Whether the text claims to be one."""
    return _SCHEME.match(text) is not None
