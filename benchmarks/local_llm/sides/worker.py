"""How a side is driven: one JSON job on each line of standard input, one JSON answer on each line of output.

It needs nothing but the standard library, since peers run it in an environment of their own.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

__all__ = ["Answer", "Clock", "Reader", "reading", "serve"]

Answer = dict[str, Any]


class Clock:
    """CPU time of all threads of this process, and wall time, since it was made; in seconds."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def read(self) -> dict[str, float]:
        """Both."""
        return {"cpu": time.process_time() - self._cpu, "wall": time.perf_counter() - self._wall}


class Reader(Protocol):
    """A model that keeps what it has read."""

    def read(self, ids: Sequence[int]) -> None:
        """Forget all, and read `ids`."""
        ...

    def write(self, count: int) -> None:
        """Pick the likeliest token and read it, so many times."""
        ...


def reading(reader: Reader) -> Mapping[str, Callable[..., Answer]]:
    """The job `speed`: how long it takes to read a prompt, and to write after contexts of so many tokens."""

    def speed(ids: list[int], prompt: int, places: list[int], count: int) -> Answer:
        clock = Clock()
        reader.read(ids[:prompt])
        found: Answer = {"prompt": clock.read()}
        for place in places:
            reader.read(ids[:place])
            clock = Clock()
            reader.write(count)
            found[str(place)] = clock.read()
        return found

    return {"speed": speed}


def serve(jobs: Mapping[str, Callable[..., Any]]) -> None:
    """Do what standard input says, until it ends. Jobs may be coroutines."""
    with asyncio.Runner() as runner:
        # What a library prints must not be taken for an answer.
        out, sys.stdout = sys.stdout, sys.stderr
        print(json.dumps({"ready": True}), file=out, flush=True)
        for line in sys.stdin:
            job = json.loads(line)
            answer = jobs[job.pop("job")](**job)
            if asyncio.iscoroutine(answer):
                answer = runner.run(answer)
            print(json.dumps(answer), file=out, flush=True)
