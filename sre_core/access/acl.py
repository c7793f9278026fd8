"""Access levels, and lists of who may do what."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum

from sre_core.access.candidate import Candidate
from sre_core.errors import ConfigError

__all__ = ["ACL", "Access"]


class Access(IntEnum):
    """Levels of access; a higher one includes the lower ones."""

    READ = 1
    WRITE = 2
    OWN = 3

    @classmethod
    def parse(cls, text: str) -> "Access":
        """Read "read", "write" or "own". Raises ConfigError."""
        try:
            return cls[text.upper()]
        except KeyError:
            raise ConfigError(f"illegal access level {text!r}", hint='write "read", "write" or "own"') from None

    def __str__(self) -> str:
        """The text that `parse` reads."""
        return _WORDS[self]


_WORDS = {access: access.name.lower() for access in Access}


@dataclass(frozen=True, slots=True)
class ACL:
    """Grants on one resource and what lies below it. Changing an ACL returns a new one."""

    grants: frozenset[tuple[Candidate, Access]] = frozenset()

    @classmethod
    def parse(cls, grants: Mapping[str, str]) -> "ACL":
        """Read `{"agent:a1": "read", ...}`. Raises ConfigError."""
        return cls(frozenset((Candidate.parse(who), Access.parse(what)) for who, what in grants.items()))

    def grant(self, candidate: Candidate, access: Access) -> "ACL":
        """This ACL with exactly `access` for `candidate`, in place of what it had. Raises ConfigError."""
        if not isinstance(access, Access):
            raise ConfigError(f"illegal access level {access!r}", hint="use Access.READ, WRITE or OWN")
        return ACL(self.revoke(candidate).grants | {(candidate, access)})

    def revoke(self, candidate: Candidate) -> "ACL":
        """This ACL without `candidate`."""
        return ACL(frozenset(grant for grant in self.grants if grant[0] != candidate))

    def __contains__(self, candidate: Candidate) -> bool:
        """Whether `candidate` itself was granted something."""
        return any(grant[0] == candidate for grant in self.grants)

    def level_for(self, principals: Collection[Candidate]) -> Access | None:
        """The highest level that any of `principals` was granted."""
        highest: Access | None = None
        for candidate, access in self.grants:
            if candidate in principals and (highest is None or access > highest):
                highest = access
        return highest
