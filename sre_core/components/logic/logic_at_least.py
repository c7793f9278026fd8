"""LogicAtLeast: whether at least as many inputs as a number are true."""

from pydantic import Field

from sre_core.components.base import ComponentSettings, Flaw
from sre_core.components.logic.counting import Count, Counting

__all__ = ["LogicAtLeast", "LogicAtLeastSettings"]


class LogicAtLeastSettings(ComponentSettings):
    """The number."""

    min_set_inputs: Count = Field(default=None, description="how many inputs are true at least")


class LogicAtLeast(Counting):
    """Takes the branch Verified if at least `minSetInputs` inputs of the node are true.

    `Output` and `Verified` are true then; else `Unverified` is true, alone. If the setting is missing, or larger than
    the number of inputs, there are no outputs at all.
    """

    name = "LogicAtLeast"
    settings_type = LogicAtLeastSettings
    settings: LogicAtLeastSettings

    def holds(self, true: int, total: int) -> bool | None:
        """That many, or more."""
        least = self.settings.min_set_inputs
        return None if least is None or least > total else true >= least

    def check(self) -> list[Flaw]:
        """No number, or one larger than the number of inputs."""
        return self.limit_problem("minSetInputs", self.settings.min_set_inputs)
