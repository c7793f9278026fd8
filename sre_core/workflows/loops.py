"""Loops: the body of a loop, once for each item, each time from the beginning."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sre_core.components.loop import Loop
from sre_core.components.size import MAX_SIZE, outputs_size, size_of
from sre_core.errors import ComponentError, SREError
from sre_core.workflows.outcome import envelope
from sre_core.workflows.plan import Station
from sre_core.workflows.scope import Scope
from sre_core.workflows.together import for_each

if TYPE_CHECKING:
    from sre_core.workflows.engine import Run

__all__ = ["end_loop", "run_loop"]

T = TypeVar("T")


async def run_loop(
    run: "Run", scope: Scope, station: Station, loop: Loop, inputs: Mapping[str, Any], key: str
) -> Mapping[str, Any]:
    """Go through the items, `loop.parallel` at once; what the loop gives is in their order.

    It changes nothing in its surroundings, since it may run beside others: `end_loop` does, in its turn.
    """
    started = time.perf_counter()
    found = await run.runner.items(station, loop, inputs, key)
    items = found.get("items")
    if items is None:
        # Its error, or what a debugger gives in place of the loop.
        outputs = found
    else:
        outputs = await _from_items(run, scope, station, loop, items, key)
    await run.runner.report_loop(station, key, outputs, time.perf_counter() - started)
    return outputs


def end_loop(scope: Scope, station: Station) -> set[Station]:
    """Take over what the rounds left behind, in their order; returns the nodes that got something.

    A node of the body that a round leaves waiting, for what only the loop's end brings, gets what the rounds brought
    it when all are done.
    """
    reached: set[Station] = set()
    for round_ in scope.rounds.pop(station, ()):
        scope.failures += round_.failures
        for inner, values in round_.inputs.items():
            # What is left for a job was for one that the round started.
            if inner.jobs <= scope.jobs:
                for name, value in values.items():
                    scope.deliver(inner, name, value)
                reached.add(inner)
                if scope.may_run(inner):
                    scope.wake(inner)
    return reached


class _BrokenLoopError(Exception):
    """The loop's own code failed; `outputs` is what the loop gives then."""

    def __init__(self, outputs: Mapping[str, Any]) -> None:
        super().__init__()
        self.outputs = outputs


async def _from_items(
    run: "Run", scope: Scope, station: Station, loop: Loop, items: Any, key: str
) -> Mapping[str, Any]:
    """What the loop gives; an error where its own code fails, as for any other node."""
    try:
        given = _own_code(lambda: loop.without_loop(items))
        if given is None:
            results = await _all_rounds(run, scope, station, loop, _own_code(lambda: list(items)), key)
            given = _own_code(lambda: loop.collect(results))
        return _own_code(lambda: _checked(station, given))
    except _BrokenLoopError as broken:
        return broken.outputs


def _own_code(call: Callable[[], T]) -> T:
    try:
        return call()
    except Exception as error:
        # The boundary to a component's own code.
        text = error.message if isinstance(error, SREError) else f"{type(error).__name__}: {error}"
        raise _BrokenLoopError({"_error": text}) from error


def _checked(station: Station, outputs: Any) -> Mapping[str, Any]:
    if not isinstance(outputs, Mapping):
        raise ComponentError(f"{station.node} returned {type(outputs).__name__}, and not its outputs by name")
    return outputs


async def _all_rounds(
    run: "Run", scope: Scope, station: Station, loop: Loop, items: Sequence[Any], key: str
) -> list[Any]:
    """What the loop keeps of the results of the body, round by round. Raises _BrokenLoopError."""
    results: list[list[Any]] = [[]] * len(items)
    left: dict[int, Scope] = {}
    size = 0
    region = scope.inner_region(station.body)

    async def one(index: int) -> None:
        round_ = Scope(f"{key}[{index}]/", parent=scope, jobs=scope.jobs, region=region)
        run.fire(round_, station, _own_code(lambda: _checked(station, loop.item_outputs(items[index]))))
        await run.drain(round_)
        nonlocal size
        size += _size_of_round(round_)
        if size > MAX_SIZE:
            raise _BrokenLoopError(_too_large(station))
        leaves = [envelope(leaf, outputs) for leaf, outputs in round_.leaves]
        results[index] = _own_code(lambda: [loop.keep(result) for result in leaves])
        if round_.inputs or round_.failures:
            left[index] = round_

    await _rounds(range(len(items)), one, loop.parallel)
    if left:
        scope.rounds[station] = [left[index] for index in sorted(left)]
    return [result for found in results for result in found]


def _size_of_round(round_: Scope) -> int:
    """How large is what a loop keeps of a round until it ends."""
    size = size_of([*round_.inputs.values()]) if round_.inputs else 0
    for _, outputs in round_.leaves:
        size += outputs_size(outputs)
    return size


def _too_large(station: Station) -> Mapping[str, Any]:
    return {
        "_error": f"what the rounds of {station.node} leave is too large: more than {MAX_SIZE:,} values",
        "_hint": "each 32 characters of text count as one value; let the rounds give less, or keep it in files",
    }


async def _rounds(indexes: Sequence[int], one: Any, parallel: int) -> None:
    if parallel == 1:
        for index in indexes:
            await one(index)
    else:
        await for_each(indexes, one, parallel=parallel)
