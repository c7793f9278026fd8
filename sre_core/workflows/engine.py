"""The graph engine: runs what is ready, follows the links that fire, until nothing is left to run.

Values flow along links. An output that is absent does not fire its link; None, False, 0 and "" do. A node runs when
all its linked inputs have a value, those that are optional aside; several values for one input become a list. Nodes
that are ready together run together, and what they give is taken in the order of the file, so that a run does the same
again when its steps return the same.
"""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from sre_core.components.context import ComponentContext
from sre_core.components.loop import Fork, Loop
from sre_core.components.path import MISSING
from sre_core.errors import LimitExceededError
from sre_core.steps import DirectSteps, Steps
from sre_core.workflows.job import run_job
from sre_core.workflows.limits import WorkflowLimits
from sre_core.workflows.loops import end_loop, run_loop
from sre_core.workflows.outcome import Failure, Outcome, envelope, is_result, results_of, still_waiting
from sre_core.workflows.plan import Plan, Station
from sre_core.workflows.scope import Scope
from sre_core.workflows.step import Gate, Runner
from sre_core.workflows.together import cancel, for_each, gather

__all__ = ["Run", "run"]

_TURNS = 100
"""So many nodes run before the event loop gets a turn: nodes that wait for nothing would never let it have one."""

_FAILURES = 10_000
"""So many failures a run tells of: loops in each other may have any number."""


async def run(
    plan: Plan,
    entry: str,
    context: ComponentContext,
    *,
    inputs: Mapping[str, Any] | None = None,
    steps: Steps | None = None,
    limits: WorkflowLimits | None = None,
    gate: Gate | None = None,
) -> Outcome:
    """Run a workflow from the node `entry` on; `inputs`, by default those of the request, are what it gets.

    Each node is a step, "A1#0" for the first run of the node A1, "L1#0[12]/A1#0" for that in round 12 of the loop L1.
    A node that fails gives the output `_error`, and the run goes on. Raises LimitExceededError; KeyError for an
    `entry` that is no node.
    """
    limits = limits or WorkflowLimits()
    started = Run(plan, Runner(context, steps or DirectSteps(), gate), limits)
    work = started.from_entry(plan.stations[entry], context.request.input if inputs is None else inputs)
    if limits.seconds is None:
        return await work
    try:
        async with asyncio.timeout(limits.seconds) as scope:
            return await work
    except TimeoutError as error:
        if not scope.expired():
            raise
        raise LimitExceededError(
            f"the workflow reached its limit of {limits.seconds:g} seconds", hint="raise WorkflowLimits.seconds"
        ) from error


class Run:
    """One run, with what is the same in all its parts."""

    def __init__(self, plan: Plan, runner: Runner, limits: WorkflowLimits) -> None:
        self.plan = plan
        self.runner = runner
        self.limits = limits
        # The first results and errors of each node alone: in a circle, nobody sees the others.
        self._results: dict[Station, Mapping[str, Any]] = {}
        self._failed: dict[Station, Mapping[str, Any]] = {}
        self._has_result = False
        self._failures = 0
        self._looped: set[Station] = set()
        self._turns = 0

    async def from_entry(self, entry: Station, inputs: Mapping[str, Any]) -> Outcome:
        """The whole run."""
        scope = Scope()
        scope.enter(entry, inputs)
        await self.drain(scope)
        return self._outcome(scope)

    async def drain(self, scope: Scope) -> None:
        """Run until nothing in this part is ready, and no loop of it goes on.

        A loop goes on beside the others, and is done when nothing else can run: what it gives comes after that.
        """
        running: dict[Station, asyncio.Task[Mapping[str, Any]]] = {}
        try:
            while scope.ready or running:
                batch = self._startable(scope, running)
                if not batch:
                    await self._finish(scope, running)
                elif len(batch) == 1 and not running:
                    # The usual case, and the fast one: a chain needs no tasks.
                    await self._run_one(scope, batch[0])
                else:
                    await self._run_several(scope, batch, running)
        finally:
            await cancel(running.values())

    async def _run_one(self, scope: Scope, station: Station) -> None:
        outputs = await self._outputs(scope, station)
        await self._apply(scope, station, outputs)

    async def _run_several(
        self, scope: Scope, batch: list[Station], running: dict[Station, asyncio.Task[Mapping[str, Any]]]
    ) -> None:
        loops = [station for station in batch if station.body and isinstance(station.component, Loop)]
        others = [station for station in batch if station not in loops]
        for station in loops:
            running[station] = asyncio.create_task(self._outputs(scope, station))
        found: dict[Station, Mapping[str, Any]] = {}

        async def work(station: Station) -> None:
            found[station] = await self._outputs(scope, station)

        await for_each(others, work, parallel=self.limits.parallel)
        for station in others:
            await self._apply(scope, station, found[station])

    async def _finish(self, scope: Scope, running: dict[Station, asyncio.Task[Mapping[str, Any]]]) -> None:
        await gather(list(running.values()))
        for station in sorted(running, key=lambda station: station.index):
            await self._apply(scope, station, running.pop(station).result())

    def _startable(self, scope: Scope, running: Mapping[Station, Any]) -> list[Station]:
        """What may start now, in order of the file: a loop waits for what may still bring values into its body."""
        ready = sorted(scope.ready, key=lambda station: station.index)
        if len(ready) == 1 and not running:
            return ready
        active = {*ready, *running}
        startable = [s for s in ready if not (s.feeders and s.feeders & (active - {s})) and s not in running]
        # Loops that feed each other's body would wait forever.
        return startable or ([] if running else ready[:1])

    async def _outputs(self, scope: Scope, station: Station) -> Mapping[str, Any]:
        """Run one node in one part; the key of its step is the number of times that it ran there before."""
        await self._let_others()
        number = scope.count(station)
        if self.limits.runs is not None and number >= self.limits.runs:
            raise LimitExceededError(
                f"{station.node} ran {number} times: the workflow goes in a circle",
                hint="end the circle with a node whose output is absent, or raise WorkflowLimits.runs",
            )
        key = f"{scope.key}{station.id}#{number}"
        inputs = scope.take(station)
        component = station.component
        if isinstance(component, Loop) and station.body:
            self._looped |= station.body
            return await run_loop(self, scope, station, component, inputs, key)
        outputs = await self.runner.run(station, inputs, key)
        if isinstance(component, Fork) and component.job_port in outputs and not outputs.get("_error"):
            return self._start_job(scope, station, component, outputs, key)
        return outputs

    async def _let_others(self) -> None:
        self._turns += 1
        if self._turns % _TURNS == 0:
            await asyncio.sleep(0)

    async def _apply(self, scope: Scope, station: Station, outputs: Mapping[str, Any]) -> None:
        """Follow the links that fire; what leads nowhere is a leaf."""
        if station in scope.rounds:
            self._looped -= end_loop(scope, station)
        fired, handled = self.fire(scope, station, outputs)
        top = scope.parent is None
        failed, compat = bool(outputs.get("_error")), self.runner.context.compat
        if not top:
            if not fired:
                scope.leaves.append((station, outputs))
        elif is_result(station, fired=fired, compat=compat, failed=failed):
            self._results.setdefault(station, outputs)
            self._has_result = self._has_result or not failed
        if failed and not handled:
            self._note_failure(scope, station, outputs, counts=top)

    def fire(self, scope: Scope, station: Station, outputs: Mapping[str, Any]) -> tuple[bool, bool]:
        """Deliver outputs along the links. Returns whether any node got something, and whether one got the error."""
        reached: dict[Station, None] = {}
        handled = False
        for wire in station.wires:
            value = wire.value(outputs)
            if value is MISSING:
                continue
            target = wire.target
            if wire.input is None:
                scope.enter(target, value if isinstance(value, Mapping) else {"payload": value})
                reached[target] = None
                continue
            scope.deliver(target, wire.input, value)
            if not scope.may_run(target):
                continue
            reached[target] = None
            handled = handled or wire.port == "_error"
        for target in reached:
            scope.wake(target)
        return bool(reached), handled

    def _note_failure(self, scope: Scope, station: Station, outputs: Mapping[str, Any], *, counts: bool) -> None:
        step = f"{scope.key}{station.id}#{scope.counts.get(station, 1) - 1}"
        title = station.node.title or station.node.type
        message, hint = str(outputs["_error"]), str(outputs.get("_hint") or "")
        if self._failures < _FAILURES:
            self._failures += 1
            scope.failures.append(Failure(node_id=station.id, title=title, message=message, step=step, hint=hint))
        if counts:
            self._failed.setdefault(station, outputs)

    def _start_job(
        self, scope: Scope, station: Station, fork: Fork, outputs: Mapping[str, Any], key: str
    ) -> Mapping[str, Any]:
        id_, context = outputs[fork.job_port], self.runner.context
        running = context.jobs.pending
        if self.limits.jobs is not None and running >= self.limits.jobs:
            return {
                "_error": f"{station.node} cannot start a job: {running:,} of this agent are running",
                "_hint": "wait for them with Await, or raise WorkflowLimits.jobs",
            }
        seen = scope.copy_for(station.body)
        job = Run(self.plan, self.runner, self.limits)
        entered = scope.jobs | station.jobs | {station}
        work = partial(job.as_job, station, outputs, key, seen, entered)
        context.jobs.start(id_, partial(run_job, id_, station, key, context, work), node=station.id)
        return {fork.job_port: id_}

    async def as_job(
        self, station: Station, outputs: Mapping[str, Any], key: str, seen: Scope, jobs: frozenset[Station]
    ) -> Outcome:
        """Run what follows a fork; of one that nothing follows, its own outputs are the result."""
        if not station.body:
            return Outcome(data=envelope(station, outputs), has_result=True)
        root = Scope(key + "/", requirements=station.body_required, jobs=jobs, region=seen.region)
        for inner, values in seen.inputs.items():
            root.inputs[inner] = dict(values)
        self.fire(root, station, outputs)
        await self.drain(root)
        return self._outcome(root)

    def _outcome(self, scope: Scope) -> Outcome:
        return Outcome(
            data=results_of(self._results.items(), self._failed.items()),
            steps=self._turns,
            has_result=self._has_result,
            failures=tuple(scope.failures),
            waiting=still_waiting(scope, self._looped),
        )
