"""LogicOR: whether any input is true."""

from sre_core.components.logic.counting import Counting

__all__ = ["LogicOR"]


class LogicOR(Counting):
    """Takes the branch Verified if one input of the node is true, or more.

    `Output` and `Verified` are true then; else `Unverified` is true, alone.
    """

    name = "LogicOR"

    def holds(self, true: int, total: int) -> bool:
        """At least one."""
        return true > 0
