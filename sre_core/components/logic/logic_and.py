"""LogicAND: whether all inputs are true."""

from sre_core.components.logic.counting import Counting

__all__ = ["LogicAND"]


class LogicAND(Counting):
    """Takes the branch Verified if all inputs of the node are true.

    `Output` and `Verified` are true then; else `Unverified` is true, alone. Without inputs it is verified.
    """

    name = "LogicAND"

    def holds(self, true: int, total: int) -> bool:
        """All of them."""
        return true == total
