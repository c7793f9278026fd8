"""One node, run as one step: its inputs made ready, its failure made an output, its beginning and end told."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from sre_core import logs
from sre_core.components.context import ComponentContext
from sre_core.components.loop import Loop
from sre_core.components.size import MAX_SIZE, outputs_size
from sre_core.components.template import expand_value
from sre_core.components.values import coerce
from sre_core.errors import ComponentError, SREError
from sre_core.events import StepFinished, StepStarted, discard
from sre_core.steps import Steps
from sre_core.workflows.plan import Station
from sre_core.workflows.scope import TooLarge

__all__ = ["Gate", "Runner"]

log = logs.get_logger(__name__)

_Result = Mapping[str, Any]
"""What a journal keeps of a step: its `outputs`, and the addresses of the files that the run has `stored` so far."""


_LESS = "each 32 characters of text count as one value; take a part of it on, or keep it in files"


class Gate(Protocol):
    """Stands before every step: a debugger, or a test with outputs of its own."""

    async def before(self, station: Station, key: str, inputs: dict[str, Any]) -> Mapping[str, Any] | None:
        """Wait as long as it likes; may change `inputs`. Outputs that it returns are taken in place of running."""
        ...

    async def after(self, station: Station, key: str, outputs: Mapping[str, Any], seconds: float) -> None:
        """Hear what the step gave; of a loop first its `items`, and what it gave when it has ended."""
        ...


class Runner:
    """Runs steps of one run."""

    def __init__(self, context: ComponentContext, steps: Steps, gate: Gate | None = None) -> None:
        self.context = context
        self.steps = steps
        self._gate = gate
        self._is_heard = context.emit is not discard

    async def run(self, station: Station, inputs: dict[str, Any], key: str) -> Mapping[str, Any]:
        """The outputs of the node; when it failed `_error`, and `_hint` where somebody knows what to do."""
        if not self._is_heard and self._gate is None:
            return await self._step(key, partial(self._attempt, station, inputs))
        return await self._watched(station, inputs, key, partial(self._attempt, station, inputs))

    async def _step(self, key: str, attempt: Callable[[], Awaitable[_Result]]) -> Mapping[str, Any]:
        """The outputs of a step, which now may have run in an earlier life of this process."""
        result = await self.steps.run(key, attempt)
        for address in result.get("stored", ()):
            self.context.stored.add(address)
        outputs: Mapping[str, Any] = result["outputs"]
        return outputs

    async def items(self, station: Station, loop: Loop, inputs: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        """`{"items": [...]}` of a loop, or the outputs that end it at once. `report_loop` tells of the end."""
        given = dict(inputs)
        found = None if self._gate is None else await self._gate.before(station, key, given)
        await self._begin(station, key, given)
        if found is None:
            attempt = partial(self._guarded, station, partial(self._items, loop, station, given))
            found = await self._step(key, attempt)
            if self._gate is not None and "items" in found:
                await self._gate.after(station, key, found, 0.0)
        return found

    async def report_loop(self, station: Station, key: str, outputs: Mapping[str, Any], seconds: float) -> None:
        """Tell that a loop ended."""
        await self._end(station, key, outputs, seconds)

    async def _watched(
        self, station: Station, inputs: dict[str, Any], key: str, attempt: Callable[[], Awaitable[_Result]]
    ) -> Mapping[str, Any]:
        if self._gate is not None:
            replaced = await self._gate.before(station, key, inputs)
            if replaced is not None:
                await self._begin(station, key, inputs)
                await self._end(station, key, replaced, 0.0)
                return replaced
        await self._begin(station, key, inputs)
        started = time.perf_counter()
        outputs = await self._step(key, attempt)
        await self._end(station, key, outputs, time.perf_counter() - started)
        return outputs

    async def _begin(self, station: Station, key: str, inputs: Mapping[str, Any]) -> None:
        if self._is_heard:
            await self.context.emit(
                StepStarted(
                    run_id=self.context.run_id,
                    agent_id=self.context.agent.id,
                    step=key,
                    node_id=station.id,
                    title=station.node.title or station.node.type,
                    # A copy: what is made of the inputs later, for the component, is no part of this event.
                    inputs=dict(inputs),
                )
            )

    async def _end(self, station: Station, key: str, outputs: Mapping[str, Any], seconds: float) -> None:
        if self._is_heard:
            await self.context.emit(
                StepFinished(
                    run_id=self.context.run_id,
                    agent_id=self.context.agent.id,
                    step=key,
                    node_id=station.id,
                    title=station.node.title or station.node.type,
                    outputs=outputs,
                    seconds=seconds,
                    error=str(outputs.get("_error") or ""),
                )
            )
        if self._gate is not None:
            await self._gate.after(station, key, outputs, seconds)

    async def _attempt(self, station: Station, inputs: dict[str, Any]) -> _Result:
        return await self._guarded(station, partial(self._plain, station, inputs))

    async def _plain(self, station: Station, inputs: dict[str, Any]) -> Mapping[str, Any]:
        if station.component is None:
            raise ComponentError(station.problem or f"{station.node} cannot run")
        _check_inputs(station, inputs)
        if station.defaults or station.coerced:
            inputs = await self._prepared(station, inputs)
        return await station.component.run(inputs, self.context)

    async def _items(self, loop: Loop, station: Station, inputs: dict[str, Any]) -> Mapping[str, Any]:
        _check_inputs(station, inputs)
        items: Any = await loop.items(await self._prepared(station, inputs), self.context)
        if not isinstance(items, Sequence):
            raise ComponentError(f"{station.node} returned {type(items).__name__}, and not a list of its items")
        return {"items": items}

    async def _prepared(self, station: Station, given: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs as the component gets them. In a copy: a default may be a secret, which no debugger shows."""
        inputs = dict(given)
        for port in station.defaults:
            if port.name not in inputs:
                inputs[port.name] = await expand_value(port.default, {}, self.context, node=station.node)
        for port in station.coerced:
            if port.name in inputs:
                inputs[port.name] = await coerce(inputs[port.name], port, self.context)
        return inputs

    async def _guarded(self, station: Station, attempt: Callable[[], Awaitable[Mapping[str, Any]]]) -> _Result:
        stored = self.context.stored
        before = len(stored)
        outputs = await _caught(station, attempt)
        # Nodes that run beside this one may have stored some of them; all are of this run.
        return {"outputs": outputs} if len(stored) == before else {"outputs": outputs, "stored": [*stored]}


def _check_inputs(station: Station, inputs: Mapping[str, Any]) -> None:
    for name, value in inputs.items():
        if type(value) is TooLarge:
            raise ComponentError(
                f"what came together at the input {name!r} of {station.node} is too large: {value}", hint=_LESS
            )


async def _caught(station: Station, attempt: Callable[[], Awaitable[Mapping[str, Any]]]) -> Mapping[str, Any]:
    """What a component raises is an output: one node that fails does not end the run."""
    try:
        outputs = await attempt()
    except SREError as error:
        log.info("step_failed", node=station.id, component=station.node.type, code=error.code)
        told = {"_error": error.message or type(error).__name__}
        return {**told, "_hint": error.hint} if error.hint else told
    except Exception as error:  # noqa: BLE001 -- the boundary to a component's own code
        log.warning("step_raised", node=station.id, component=station.node.type, error=type(error).__name__)
        return {"_error": f"{type(error).__name__}: {error}"}
    # Third parties forget to return, and a run must not end for that.
    if outputs is None:
        return {}
    if not isinstance(outputs, Mapping):
        return {"_error": f"{station.node} returned {type(outputs).__name__}, and not its outputs by name"}
    if outputs_size(outputs) > MAX_SIZE:
        return {"_error": f"what {station.node} gives is too large: more than {MAX_SIZE:,} values", "_hint": _LESS}
    return outputs
