"""Debugging without async."""

from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sre_core.errors import WorkflowError
from sre_core.workflows.debug import Debugger as AsyncDebugger
from sre_core.workflows.debug import StepRecord
from sre_core.workflows.outcome import Outcome
from sre_sdk.sync_runtime import SyncRuntime

if TYPE_CHECKING:
    from sre_sdk.sync import Agent

__all__ = ["Debugger"]


class Debugger:
    """A session of debugging whose methods wait; made by `Agent.debug`, and used within its `with` block.

    The run stands still between two calls, on the loop of the agent's runtime.
    """

    __slots__ = ("_agent", "_runtime", "_session", "_stack")

    def __init__(self, agent: "Agent", session: AsyncDebugger) -> None:
        self._agent = agent
        self._session = session
        self._runtime: SyncRuntime | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Begin, and stop before the first node. Raises what ends the run before that."""
        with ExitStack() as stack:
            runtime = stack.enter_context(self._agent.attached())
            runtime.call(self._session.__aenter__)

            def leave(*how: Any) -> None:
                runtime.call(self._session.__aexit__, *how)

            stack.push(leave)
            self._runtime, self._stack = runtime, stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run, if it has not ended."""
        self._runtime = None
        self._stack.__exit__(kind, error, trace)

    @property
    def steps(self) -> list[StepRecord]:
        """What has run, in order of its end; also after the block."""
        return list(self._session.steps)

    @property
    def pending(self) -> list[StepRecord]:
        """The nodes that stand in the queue, the next one first, with the inputs that they will get."""

        async def look() -> list[StepRecord]:
            return self._session.pending

        return self._open().call(look)

    def inject(
        self, node_id: str, *, inputs: Mapping[str, Any] | None = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        """Give a node inputs, or outputs in place of running it; see `sre_core.workflows.debug.Debugger.inject`."""

        async def put() -> None:
            self._session.inject(node_id, inputs=inputs, outputs=outputs)

        self._open().call(put)

    def ready(self) -> bool:
        """Wait until a node stands in the queue; False when none will, since the run has ended."""
        return self._open().call(self._session.ready)

    def step(self) -> StepRecord | None:
        """Let the next node run, and return what it did; None when the run has ended. Raises what ended it."""
        return self._open().call(self._session.step)

    def finish(self) -> Outcome:
        """Run to the end without a stop. Raises what ended the run."""
        return self._open().call(self._session.finish)

    def _open(self) -> SyncRuntime:
        if self._runtime is None:
            raise WorkflowError(
                "the session of debugging is not open",
                hint="work within its block: with agent.debug(...) as session: session.step()",
            )
        return self._runtime
