"""How a side is driven: one JSON job on each line of standard input, one JSON answer on each line of output.

It needs nothing but the standard library, since peers run it in an environment of their own.
"""

import asyncio
import gc
import json
import resource
import statistics
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

__all__ = ["HISTORY", "PROMPT", "REPLY", "Side", "add", "check", "serve"]

PROMPT = "Say hello."
REPLY = "Hello from the stub."
HISTORY = 500


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def check(text: str) -> None:
    """Fail when an answer is not the whole answer: what fails fast must not look fast."""
    if text != REPLY:
        raise AssertionError(f"unexpected answer {text!r}")


class Side(Protocol):
    """Somebody who does the work of all scenarios."""

    async def open(self, url: str) -> None:
        """Get ready to talk to the server at `url`."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...

    async def prompt(self) -> None:
        """One prompt, its answer checked."""
        ...

    async def skill(self) -> None:
        """One prompt with a call of `add` on the way."""
        ...

    async def slow(self) -> None:
        """One prompt to the server that takes 100 ms."""
        ...

    async def first_text(self) -> str:
        """The first piece of a streamed answer; the rest is read too."""
        ...

    async def remember(self) -> None:
        """Begin a conversation with HISTORY messages."""
        ...

    async def recall(self) -> None:
        """One prompt in that conversation."""
        ...

    def idle(self, count: int) -> Sequence[object]:
        """That many agents with the skill `add`."""
        ...


def serve(side: Side) -> None:
    """Do what standard input says, until it ends; the URL of the server is the first argument."""
    asyncio.run(_serve(side, sys.argv[1]))


async def _serve(side: Side, url: str) -> None:
    await side.open(url)
    print(json.dumps({"ready": True}), flush=True)
    try:
        for line in sys.stdin:
            job = json.loads(line)
            print(json.dumps(await _do(side, job)), flush=True)
    finally:
        await side.close()


async def _do(side: Side, job: dict[str, Any]) -> dict[str, float]:
    count = job["count"]
    match job["job"]:
        case "prompt":
            return await _timed(side.prompt, count)
        case "skill":
            return await _timed(side.skill, count)
        case "history":
            await side.remember()
            await side.recall()
            return await _timed(side.recall, count)
        case "first_text":
            return {"seconds": statistics.median([await _delay(side) for _ in range(count)])}
        case "crowd":
            return await _crowd(side, count)
        case "idle":
            return _weight(side, count)
    raise ValueError(f"unknown job {job['job']!r}")


async def _timed(work: Callable[[], Awaitable[None]], count: int) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        await work()
    return {"cpu": (time.process_time() - cpu) / count, "wall": (time.perf_counter() - wall) / count}


async def _delay(side: Side) -> float:
    text = await side.first_text()
    # The clock is read inside `first_text`, which returns "sent seen".
    sent, seen = text.split()
    return (int(seen) - int(sent)) / 1e9


async def _crowd(side: Side, count: int) -> dict[str, float]:
    # What is loaded at the first prompt belongs to the cold start.
    await side.prompt()
    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(side.slow() for _ in range(count)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"rate": count / wall, "cpu": cpu / count, "peak": float(peak)}


def _weight(side: Side, count: int) -> dict[str, float]:
    side.idle(10)
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    agents = side.idle(count)
    gc.collect()
    size = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return {"bytes": size / len(agents)}
