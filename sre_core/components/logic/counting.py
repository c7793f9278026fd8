"""What the logic components share: how many inputs are true, and the branch that follows."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from sre_core.components.base import Component, Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.javascript import is_truthy
from sre_core.components.node import OutputPort

__all__ = ["Count", "Counting"]


Count = Annotated[float | None, Field(ge=0, le=9)]
"""A number of inputs, or None where there is none."""


class Counting(Component):
    """Counts which of the node's inputs are true, as JavaScript has it: false are false, 0, NaN, "", null and nothing.

    Empty lists and objects are true, and so is the text "false".
    """

    outputs = (
        OutputPort(name="Output", default=True),
        OutputPort(name="Verified", default=True),
        OutputPort(name="Unverified", default=True),
    )
    open_inputs = True

    @abstractmethod
    def holds(self, true: int, total: int) -> bool | None:
        """The verdict on `true` of `total` inputs; None where there can be none."""

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """`Output` and `Verified`, or `Unverified` alone, or nothing."""
        names = [port.name for port in self.node.inputs]
        verdict = self.holds(sum(is_truthy(inputs.get(name)) for name in names), len(names))
        if verdict is None:
            return {}
        return {"Output": True, "Verified": True} if verdict else {"Unverified": True}

    def limit_problem(self, setting: str, count: float | None) -> list[Flaw]:
        """What `check` says of a number of inputs to compare with."""
        if count is None:
            return [Flaw(f"{setting} is missing, so it takes neither branch", setting)]
        total = len(self.node.inputs)
        if count <= total:
            return []
        return [Flaw(f"{setting} is {count:g}, and it has {total} inputs: it takes neither branch", setting)]
