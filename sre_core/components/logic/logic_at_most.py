"""LogicAtMost: whether at most as many inputs as a number are true."""

from pydantic import Field

from sre_core.components.base import ComponentSettings, Flaw
from sre_core.components.logic.counting import Count, Counting

__all__ = ["LogicAtMost", "LogicAtMostSettings"]


class LogicAtMostSettings(ComponentSettings):
    """The number."""

    max_set_inputs: Count = Field(default=None, description="how many inputs are true at most")


class LogicAtMost(Counting):
    """Takes the branch Verified if at most `maxSetInputs` inputs of the node are true.

    `Output` and `Verified` are true then; else `Unverified` is true, alone. If the setting is missing, or larger than
    the number of inputs, there are no outputs at all.
    """

    name = "LogicAtMost"
    settings_type = LogicAtMostSettings
    settings: LogicAtMostSettings

    def holds(self, true: int, total: int) -> bool | None:
        """That many, or fewer."""
        most = self.settings.max_set_inputs
        return None if most is None or most > total else true <= most

    def check(self) -> list[Flaw]:
        """No number, or one larger than the number of inputs."""
        return self.limit_problem("maxSetInputs", self.settings.max_set_inputs)
