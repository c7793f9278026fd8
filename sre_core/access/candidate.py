"""Candidates: who asks for access."""

import re
from dataclasses import dataclass
from enum import StrEnum

from sre_core.errors import ConfigError

__all__ = ["Candidate", "Role", "check_id"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def check_id(value: str, what: str = "id") -> str:
    """Return `value` if it is a legal id; raises ConfigError that names `what` it was meant for.

    Legal are 1 to 64 ASCII letters, digits, `_`, `.` and `-`, of which the first is a letter or a digit.
    """
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ConfigError(
            f"illegal {what} {value!r}",
            hint="use 1 to 64 ASCII letters, digits, '_', '.', '-', and begin with a letter or a digit",
        )
    return value


class Role(StrEnum):
    """What kind of candidate it is."""

    USER = "user"
    AGENT = "agent"
    TEAM = "team"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Candidate:
    """Someone who asks for access. `agent:X` and `user:X` are different candidates."""

    role: Role
    id: str

    def __post_init__(self) -> None:
        """Refuse illegal ids: they become parts of paths."""
        check_id(self.id, f"{self.role.value} id")
        if self.role is Role.PUBLIC and self.id != "public":
            raise ConfigError(f"illegal public id {self.id!r}", hint="use Candidate.public()")

    @classmethod
    def agent(cls, id: str) -> "Candidate":  # noqa: A002 -- the field's own name
        """An agent, acting as itself."""
        return cls(Role.AGENT, id)

    @classmethod
    def user(cls, id: str) -> "Candidate":  # noqa: A002
        """A person."""
        return cls(Role.USER, id)

    @classmethod
    def team(cls, id: str) -> "Candidate":  # noqa: A002
        """A team; its members own its home."""
        return cls(Role.TEAM, id)

    @classmethod
    def public(cls) -> "Candidate":
        """Everybody. As a candidate: somebody who is nobody in particular."""
        return cls(Role.PUBLIC, "public")

    @classmethod
    def parse(cls, text: str) -> "Candidate":
        """Read "role:id", or "public". Raises ConfigError."""
        role, _, name = text.partition(":")
        if role not in list(Role) or (not name and role != Role.PUBLIC):
            raise ConfigError(f"illegal candidate {text!r}", hint='write "user:ID", "agent:ID", "team:ID" or "public"')
        return cls(Role(role), name or "public")

    def __str__(self) -> str:
        """The text that `parse` reads."""
        return "public" if self.role is Role.PUBLIC else f"{self.role.value}:{self.id}"
