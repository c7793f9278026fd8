"""Components that the engine treats as more than a step: loops over items, and forks that go on by themselves."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sre_core.components.base import Component
from sre_core.components.context import ComponentContext

__all__ = ["Fork", "Loop"]


class Loop(Component):
    """A component whose followers run once for each of several items.

    The links of `item_ports` fire for each item; what is linked there, and after it, is the loop's body. Every item
    has a run of the body to itself. When all are done, the links of the other ports fire with what `collect` returns.
    """

    item_ports: ClassVar[frozenset[str]]

    @property
    def parallel(self) -> int:
        """How many items may be in the body at once; results keep the order of the items."""
        return 1

    @abstractmethod
    async def items(self, inputs: Mapping[str, Any], context: ComponentContext) -> Sequence[Any]:
        """What to go through. This is the loop's own step; raise as in `run`."""

    @abstractmethod
    def item_outputs(self, item: Any) -> Mapping[str, Any]:
        """What one item fires."""

    def keep(self, result: Any) -> Any:
        """What is kept of one result of the body, as a run would return it, until the end; by default all of it."""
        return result

    @abstractmethod
    def collect(self, results: Sequence[Any]) -> Mapping[str, Any]:
        """What the loop gives in the end; `results` are what `keep` made of those of the body, item by item."""

    def without_loop(self, items: Sequence[Any]) -> Mapping[str, Any] | None:
        """The outputs, if these items need no loop; then the component is like any other."""
        return None

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The items, through an empty body."""
        items = await self.items(inputs, context)
        outputs = self.without_loop(items)
        return self.collect(()) if outputs is None else outputs


class Fork(Component):
    """A component whose followers run by themselves, while the run goes on with the port `job_port`.

    `run` returns the outputs of the fork; the value of `job_port` among them is the job's id.
    """

    job_port: ClassVar[str]
