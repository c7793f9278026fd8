"""Two ways to do the same small operation, many at once and in turns, in one process."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.result import Bar, Row, ratio

__all__ = ["AT_ONCE", "BAR", "Contest"]

AT_ONCE = 50
"""How many operations are under way together."""

BAR = 0.85
"""What part of the bare client's throughput a connector should reach."""

Operation = Callable[[int], Awaitable[object]]
"""Does the operation of that number; numbers keep what is read and written at once apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """How long to measure: `rounds` of `count` operations for each side."""

    rounds: int = 9
    count: int = 1500

    async def rows(self, name: str, *, ours: Operation, bare: Operation, count: int | None = None) -> list[Row]:
        """Throughput, with its bar, and the CPU time of this process for each operation."""
        sides = {"ours": ours, "bare": bare}
        number = count or self.count
        rates: dict[str, list[float]] = {side: [] for side in sides}
        costs: dict[str, list[float]] = {side: [] for side in sides}
        for operation in sides.values():
            await _run(operation, max(AT_ONCE, number // 5))
        for turn in range(self.rounds):
            # Another one begins each round, so that what grows with time favours nobody.
            for side in sorted(sides, reverse=turn % 2 == 1):
                wall, cpu = await _run(sides[side], number)
                rates[side].append(number / wall)
                costs[side].append(cpu / number * 1e3)
        won = Bar(against="bare", ratio=ratio(rates, "ours", "bare"), bar=BAR, at_least=True)
        spent = Bar(against="bare", ratio=ratio(costs, "ours", "bare"))
        return [
            Row(name=name, unit="calls/s", samples=rates, bars=[won]),
            Row(name=name, unit="CPU ms", samples=costs, bars=[spent]),
        ]


async def _run(operation: Operation, count: int) -> tuple[float, float]:
    """Wall and CPU seconds of `count` operations, `AT_ONCE` of them under way together."""
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await operation(number)

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return time.perf_counter() - wall, time.process_time() - cpu
