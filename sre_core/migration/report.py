"""What a copy has found and done, in numbers and in words."""

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = ["Difference", "Listener", "Outcome", "Report", "Survey"]

_KEPT = 1000
"""Differences that are kept; more are only counted."""


class Outcome(StrEnum):
    """What became of one thing."""

    COPIED = "copied"
    REPLACED = "replaced"
    SAME = "same"
    GONE = "gone"
    """It vanished from the source after it was listed there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What there is to copy: how many things, and how large they are together where that is known."""

    count: int
    size: int | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not the same on both sides, and why. Never a secret."""

    name: str
    why: str


class Listener:
    """Hears how a copy goes on; this one does nothing."""

    def moved(self, size: int) -> None:
        """So many bytes, or records, were dealt with."""

    def done(self, name: str, outcome: Outcome) -> None:
        """One thing is done."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What a copy did. It grows while the copy goes on."""

    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    size: int = 0
    acls: int = 0
    differences: list[Difference] = field(default_factory=list)
    different: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether both sides are the same, as far as was asked."""
        return self.different == 0

    def count(self, outcome: Outcome, times: int = 1) -> None:
        """Note what became of something."""
        self.outcomes[outcome] += times

    def knows(self, name: str) -> bool:
        """Whether it was said already that this is not the same; yes as well when there was too much to tell."""
        return self.different > _KEPT or any(difference.name == name for difference in self.differences)

    def differs(self, name: str, why: str) -> None:
        """Note that something is not the same on both sides."""
        self.different += 1
        if len(self.differences) < _KEPT:
            self.differences.append(Difference(name=name, why=why))
