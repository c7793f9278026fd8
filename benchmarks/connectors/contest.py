"""Several ways to do the same small operation, many at once and in turns, in one process."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from benchmarks.result import Bar, Row, ratio

__all__ = ["AT_ONCE", "BAR", "Contest", "Operation", "missing"]

AT_ONCE = 50
"""How many operations are under way together."""

BAR = 0.85
"""What part of the bare client's throughput a connector should reach."""

Operation = Callable[[int], Awaitable[object]]
"""Does the operation of that number; numbers keep what is read and written at once apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """How long to measure: `rounds` of `count` operations for each side."""

    rounds: int = 15
    count: int | None = None

    async def rows(
        self,
        name: str,
        *,
        ours: Operation,
        bare: Operation,
        others: Mapping[str, Operation] | None = None,
        count: int = 1500,
        bar: float | None = BAR,
    ) -> list[Row]:
        """Throughput, with its bar, and the CPU time of this process for each operation.

        `others` are further clients to look at, by name; no bar is set against them.
        """
        others = others or {}
        sides = {"ours": ours, "bare": bare, **others}
        number = self.count or count
        rates: dict[str, list[float]] = {side: [] for side in sides}
        costs: dict[str, list[float]] = {side: [] for side in sides}
        for operation in sides.values():
            await _run(operation, max(AT_ONCE, number // 5))
        order = list(sides)
        for _ in range(self.rounds):
            for side in order:
                wall, cpu = await _run(sides[side], number)
                rates[side].append(number / wall)
                costs[side].append(cpu / number * 1e3)
            # Another one begins each round, so that what grows with time favours nobody.
            order = [*order[1:], order[0]]
        return [
            Row(name=name, unit="calls/s", samples=rates, bars=_bars(rates, others, bar=bar)),
            Row(name=name, unit="CPU ms", samples=costs, bars=_bars(costs, others)),
        ]


def missing(name: str, reason: str) -> Row:
    """The row of a scenario that cannot be measured here."""
    bar = Bar(against="bare", ratio=None, bar=BAR, at_least=True, note=reason)
    return Row(name=name, unit="calls/s", samples={}, bars=[bar])


def _bars(
    samples: Mapping[str, list[float]], others: Mapping[str, Operation], *, bar: float | None = None
) -> list[Bar]:
    first = Bar(against="bare", ratio=ratio(samples, "ours", "bare"), bar=bar, at_least=bar is not None)
    return [first, *(Bar(against=name, ratio=ratio(samples, "ours", name)) for name in others)]


async def _run(operation: Operation, count: int) -> tuple[float, float]:
    """Wall and CPU seconds of `count` operations, `AT_ONCE` of them under way together."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await operation(number)

    # What one side left is not for the next one to tidy up.
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return time.perf_counter() - wall, time.process_time() - cpu
