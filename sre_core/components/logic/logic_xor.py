"""LogicXOR: whether exactly one input is true."""

from sre_core.components.logic.counting import Counting

__all__ = ["LogicXOR"]


class LogicXOR(Counting):
    """Takes the branch Verified if exactly one input of the node is true.

    `Output` and `Verified` are true then; else `Unverified` is true, alone.
    """

    name = "LogicXOR"

    def holds(self, true: int, total: int) -> bool:
        """One."""
        return true == 1
