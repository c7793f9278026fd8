"""Debugging: a run that stands still before every node, until it is told to go on."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

from sre_core.components.loop import Loop
from sre_core.errors import WorkflowError
from sre_core.workflows.outcome import Outcome
from sre_core.workflows.plan import Station
from sre_core.workflows.step import Gate

__all__ = ["CheckInjection", "Debugger", "StepRecord"]

CheckInjection = Callable[[str, Mapping[str, Any], Mapping[str, Any]], None]
"""Takes the id of a node, inputs and outputs; raises WorkflowError for those that the workflow does not have."""

_HOW = "work within its block: async with agent.debug(...) as session: await session.step()"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """A node that is about to run, or has run: then with its outputs, and the seconds that it took.

    `step` is its key in the run. `is_injected` says that it does not run at all, since its outputs are given.
    """

    step: str
    node_id: str
    title: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] | None = None
    seconds: float = 0.0
    is_injected: bool = False


@dataclass(slots=True, eq=False)
class _Stop:
    """A node that stands before its step."""

    step: str
    station: Station
    inputs: dict[str, Any]
    task: "asyncio.Task[Any] | None" = field(default_factory=asyncio.current_task)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    record: StepRecord | None = None
    is_injected: bool = False

    def describe(self) -> StepRecord:
        return StepRecord(
            step=self.step,
            node_id=self.station.id,
            title=self.station.node.title or self.station.node.type,
            inputs=dict(self.inputs),
            is_injected=self.is_injected,
        )


class Debugger(Gate):
    """One run, step by step: `async with Debugger(start) as session: await session.step()`.

    A step is one node. Nodes that are ready together stand in a queue, in order of the file; a loop is a step that
    ends when its items are known, and its body follows. While a node waits for jobs, theirs run without a stop. Leaving
    the block ends the run.
    """

    def __init__(self, start: Callable[[Gate], Awaitable[Outcome]], *, check: CheckInjection | None = None) -> None:
        """`start` runs a workflow with the gate that it gets. `check` looks at what is injected."""
        self._start = start
        self._check = check
        self._queue: deque[_Stop] = deque()
        self._stops: dict[str, _Stop] = {}
        self._arrived = asyncio.Event()
        self._inputs: dict[str, Mapping[str, Any]] = {}
        self._outputs: dict[str, Mapping[str, Any]] = {}
        self._run: asyncio.Task[Outcome] | None = None
        self._free = False
        self._jobs_go_on = False
        self._is_left = False
        self.steps: list[StepRecord] = []
        """What has run, in order of its end."""

    async def __aenter__(self) -> Self:
        """Begin, and stop before the first node. Raises what ends the run before that."""

        async def run() -> Outcome:
            return await self._start(self)

        self._run = asyncio.create_task(run())
        self._run.add_done_callback(self._end)
        try:
            if not await self.ready():
                self._result(self._run)
        except BaseException:
            # The block is never entered, and so never left.
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the run, if it has not ended. Its jobs go on without a stop."""
        await self._leave()

    async def _leave(self) -> None:
        self._is_left = True
        if self._run is not None:
            self._run.cancel()
            try:
                await asyncio.wait([self._run])
            finally:
                self._release()

    def _end(self, run: asyncio.Task[Outcome]) -> None:
        """Wake up who waits for the next node."""
        if not run.cancelled():
            # Whoever leaves without a step never asks what ended it, which is no reason to complain of that.
            run.exception()
        self._arrived.set()

    @property
    def pending(self) -> list[StepRecord]:
        """The nodes that stand in the queue, the next one first, with the inputs that they will get."""
        return [self._foresee(stop) for stop in self._queue]

    def _foresee(self, stop: _Stop) -> StepRecord:
        node_id, record = stop.station.id, stop.describe()
        inputs = {**record.inputs, **self._inputs.get(node_id, {})}
        return replace(record, inputs=inputs, is_injected=bool(self._outputs.get(node_id)))

    def inject(
        self, node_id: str, *, inputs: Mapping[str, Any] | None = None, outputs: Mapping[str, Any] | None = None
    ) -> None:
        """From now on, put these inputs over those that the node gets; with `outputs`, give them and do not run it.

        An empty mapping takes back what was injected. Raises WorkflowError for a node or port that is not there.
        """
        if self._check is not None:
            self._check(node_id, inputs or {}, outputs or {})
        if inputs is not None:
            self._inputs[node_id] = dict(inputs)
        if outputs is not None:
            self._outputs[node_id] = dict(outputs)

    async def step(self) -> StepRecord | None:
        """Let the next node run, and return what it did; None when the run has ended. Raises what ended it.

        Raises WorkflowError outside of the block.
        """
        run = self._begun()
        if self._is_left:
            raise WorkflowError("the session of debugging has ended", hint=_HOW)
        while await self.ready():
            stop = self._queue.popleft()
            stop.go.set()
            await self._ended(stop)
            if stop.record is not None:
                return stop.record
        self._result(run)
        return None

    async def _ended(self, stop: _Stop) -> None:
        """Wait for the end of a step, or of its task: the time limit may cancel that.

        A step that waits for jobs would do so in vain if their nodes stood still.
        """
        component = stop.station.component
        if component is not None and component.waits_for_jobs:
            self._jobs_go_on = True
            self._let_go(_is_of_job)
        done = asyncio.ensure_future(stop.done.wait())
        try:
            await asyncio.wait([done, *filter(None, [stop.task])], return_when=asyncio.FIRST_COMPLETED)
        finally:
            done.cancel()
            self._jobs_go_on = False

    async def finish(self) -> Outcome:
        """Run to the end without a stop. Raises what `sre_core.workflows.engine.run` raises, and what `step` raises.

        What a run gave that had ended in the block can still be asked for after it.
        """
        run = self._begun()
        self._release()
        await asyncio.wait([run])
        return self._result(run)

    def _result(self, run: asyncio.Task[Outcome]) -> Outcome:
        if run.cancelled():
            raise WorkflowError("the session of debugging has ended", hint=_HOW)
        return run.result()

    def _begun(self) -> asyncio.Task[Outcome]:
        if self._run is None:
            raise WorkflowError("the session of debugging has not begun", hint=_HOW)
        return self._run

    def _release(self) -> None:
        """Stop before no node any more."""
        self._free = True
        self._let_go(lambda _: True)

    def _let_go(self, chosen: Callable[[str], bool]) -> None:
        """Let those in the queue run whose step is `chosen`."""
        for stop in [stop for stop in self._queue if chosen(stop.step)]:
            stop.go.set()
            self._queue.remove(stop)

    async def before(self, station: Station, key: str, inputs: dict[str, Any]) -> Mapping[str, Any] | None:
        """Stand still until `step` comes to this node."""
        stop = self._stops[key] = _Stop(key, station, inputs)
        if not self._free and not (self._jobs_go_on and _is_of_job(key)):
            self._stand(stop)
            self._arrived.set()
            try:
                await stop.go.wait()
            finally:
                # One that is cancelled stands here no more.
                if stop in self._queue:
                    self._queue.remove(stop)
        inputs.update(self._inputs.get(station.id, {}))
        stop.is_injected = bool(self._outputs.get(station.id))
        return dict(self._outputs[station.id]) if stop.is_injected else None

    async def after(self, station: Station, key: str, outputs: Mapping[str, Any], seconds: float) -> None:
        """Keep what the node gave; a loop comes twice, with its items and at its end."""
        stop = self._stops.pop(key, None) or _Stop(key, station, {})
        if isinstance(station.component, Loop) and station.body and "items" in outputs:
            # For the end of the loop, which has the same inputs.
            self._stops[key] = _Stop(key, station, stop.inputs)
        described = stop.describe()
        stop.record = StepRecord(
            step=key,
            node_id=described.node_id,
            title=described.title,
            inputs=described.inputs,
            outputs=outputs,
            seconds=seconds,
            is_injected=stop.is_injected,
        )
        self.steps.append(stop.record)
        stop.done.set()

    def _stand(self, stop: _Stop) -> None:
        """Put one into the queue, before those of its own part of the run that come later in the file."""
        part = stop.step.rpartition("/")[0]
        later = (
            place
            for place, other in enumerate(self._queue)
            if other.step.rpartition("/")[0] == part and other.station.index > stop.station.index
        )
        self._queue.insert(next(later, len(self._queue)), stop)

    async def ready(self) -> bool:
        """Wait until a node stands in the queue; False when none will, since the run has ended."""
        while not self._queue:
            if self._run is None or self._run.done():
                return False
            self._arrived.clear()
            await self._arrived.wait()
        return True


def _is_of_job(step: str) -> bool:
    """Whether a step belongs to a job: the parts before it are rounds of loops else, "L1#0[12]/"."""
    return any(not part.endswith("]") for part in step.split("/")[:-1])
