"""Teams: which candidates belong to which."""

from collections.abc import Iterable, Mapping

from sre_core.access.candidate import Candidate, Role
from sre_core.errors import ConfigError

__all__ = ["Teams"]


class Teams:
    """Who is in which team. Filled from `[teams]` of the configuration and by code, never by an agent."""

    def __init__(self, members: Mapping[str, Iterable[Candidate]] | None = None) -> None:
        """`members` maps team ids to their members. Raises ConfigError on a team within a team."""
        self._teams: dict[Candidate, frozenset[Candidate]] = {}
        for team, candidates in (members or {}).items():
            for candidate in candidates:
                self.join(candidate, team)

    def join(self, candidate: Candidate, team: str) -> None:
        """Make `candidate`, a user or an agent, a member of `team`. Joining twice is harmless."""
        if candidate.role not in {Role.USER, Role.AGENT}:
            raise ConfigError(f"{str(candidate)!r} cannot be in team {team!r}", hint="members are users and agents")
        self._teams[candidate] = self.of(candidate) | {Candidate.team(team)}

    def leave(self, candidate: Candidate, team: str) -> None:
        """End a membership, if there is one."""
        self._teams[candidate] = self.of(candidate) - {Candidate.team(team)}

    def of(self, candidate: Candidate) -> frozenset[Candidate]:
        """The teams of `candidate`; none for most."""
        return self._teams.get(candidate, frozenset())
