"""Loops: the body of a loop, once for each item, each time from the beginning."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sre_core.components.loop import Loop
from sre_core.workflows.outcome import envelope
from sre_core.workflows.plan import Station
from sre_core.workflows.scope import Scope
from sre_core.workflows.together import for_each

if TYPE_CHECKING:
    from sre_core.workflows.engine import Run

__all__ = ["run_loop"]

_Left = list[tuple[Station, dict[str, Any]]]


async def run_loop(
    run: "Run", scope: Scope, station: Station, loop: Loop, inputs: Mapping[str, Any], key: str
) -> Mapping[str, Any]:
    """Go through the items, `loop.parallel` at once; what the loop gives is in their order.

    A node of the body that a round leaves waiting, for what only the loop's end brings, gets what the rounds brought
    it when all are done.
    """
    started = time.perf_counter()
    found = await run.runner.items(station, loop, inputs, key)
    items = found.get("items")
    if items is None:
        # Its error, or what a debugger gives in place of the loop.
        outputs = found
    else:
        given = loop.without_loop(items)
        outputs = loop.collect(await _all_rounds(run, scope, station, loop, items, key)) if given is None else given
    await run.runner.report_loop(station, key, outputs, time.perf_counter() - started)
    return outputs


async def _all_rounds(
    run: "Run", scope: Scope, station: Station, loop: Loop, items: Sequence[Any], key: str
) -> list[Any]:
    """The results of the body, round by round."""
    results: list[list[Any]] = [[]] * len(items)
    left: dict[int, _Left] = {}

    async def one(index: int) -> None:
        round_ = Scope(f"{key}[{index}]/", parent=scope, jobs=scope.jobs, region=station.body)
        run.fire(round_, station, loop.item_outputs(items[index]))
        await run.drain(round_)
        results[index] = [envelope(leaf, outputs) for leaf, outputs in round_.leaves]
        # What is left for a job was for one that this round started.
        rest = [(inner, values) for inner, values in round_.inputs.items() if inner.jobs <= scope.jobs]
        if rest:
            left[index] = rest

    await _rounds(range(len(items)), one, loop.parallel)
    for index in sorted(left):
        _hand_up(scope, left[index])
    return [result for found in results for result in found]


async def _rounds(indexes: Sequence[int], one: Any, parallel: int) -> None:
    if parallel == 1:
        for index in indexes:
            await one(index)
    else:
        await for_each(indexes, one, parallel=parallel)


def _hand_up(scope: Scope, left: _Left) -> None:
    for station, values in left:
        for name, value in values.items():
            scope.deliver(station, name, value)
        scope.wake(station)
