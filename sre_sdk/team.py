"""Team: agents that share a home."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sre_core.access.candidate import Candidate
from sre_core.agents.limits import Limits
from sre_core.skills import Skill
from sre_sdk.agent import Agent
from sre_sdk.model import Model
from sre_sdk.owner import Owner

if TYPE_CHECKING:
    from sre_core.runtime import Runtime

__all__ = ["Team"]


class Team(Owner):
    """A team by its id. `team.storage` and the other handles are its own home, which every member owns too.

    A member reaches that home as itself: `agent.storage.of(team.candidate)`.
    """

    __slots__ = ()

    def __init__(self, id: str, *, runtime: "Runtime | None" = None) -> None:  # noqa: A002 -- the plain word
        """Raises ConfigError on an illegal id."""
        super().__init__(Candidate.team(id), runtime)

    def __repr__(self) -> str:
        """Shows the id."""
        return f"<Team {self.id!r}>"

    def agent(
        self,
        name: str,
        *,
        behavior: str = "",
        model: str | Model | None = None,
        id: str | None = None,  # noqa: A002
        skills: Sequence[Skill | Callable[..., Any] | str] = (),
        limits: Limits = Limits(),  # noqa: B008 -- a frozen value
    ) -> Agent:
        """A new member, which works in the team's runtime. Raises ConfigError and SkillError as Agent does."""
        return Agent(
            name,
            behavior=behavior,
            model=model,
            id=id,
            team=self.id,
            skills=skills,
            limits=limits,
            runtime=self._runtime,
        )
