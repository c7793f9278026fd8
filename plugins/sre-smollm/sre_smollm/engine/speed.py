"""How fast a started engine reads a prompt and writes, alone and for several requests at once."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from sre_smollm.engine.engine import Emit, Engine
from sre_smollm.engine.reading import Steps, TokenSequence

__all__ = ["AT_ONCE", "Speed", "measure"]

AT_ONCE = 4
_READ = 512
_CONTEXTS = (64, 1024)
_WRITTEN = 32
_ROUNDS = 3
# A large model on a slow machine: what has taken so many seconds is not repeated, and no more tokens are written.
_PATIENCE = 10.0
_FEWEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Tokens per second: `read` of a prompt of `read_tokens`, `write` by the tokens before it.

    `together` is the sum over `AT_ONCE` requests that write at the same time.
    """

    read_tokens: int
    read: float
    write: dict[int, float]
    together: float


async def measure(engine: Engine, *, context_tokens: int, avoid: int | None = None) -> Speed:
    """Measure wall time on an engine that has nothing else to do; nothing that was read before is used.

    `avoid` is a token that cannot be read alone, such as the mark of an image. Raises what the engine raises.
    """
    vocabulary, count = engine.info.vocabulary, min(_WRITTEN, context_tokens // 2)
    room = context_tokens - count

    def ids(length: int, start: int) -> list[int]:
        # Which tokens they are makes no difference to the speed.
        found = ((start + 17 * place) % vocabulary for place in range(length))
        return [(one + 1) % vocabulary if one == avoid else one for one in found]

    writing = ids(count, 5)
    # What is compiled or laid out at first use belongs to no speed.
    await _times(engine, ids(min(64, room), 3), writing[:2])
    read_tokens = min(_READ, room)
    read: list[float] = []
    while len(read) < _ROUNDS and sum(read) < _PATIENCE:
        begin, end = await _times(engine, ids(read_tokens, 11 + len(read)), ())
        read.append(end - begin)
    write: dict[int, float] = {}
    for context in sorted({min(context, room) for context in _CONTEXTS}):
        _, *times = await _times(engine, ids(context, 7), writing)
        write[context] = 1 / median(after - before for before, after in pairwise(times))
    work = [_times(engine, ids(min(_CONTEXTS[0], room), 19 + n), writing, key=str(n)) for n in range(AT_ONCE)]
    return Speed(
        read_tokens=read_tokens,
        read=read_tokens / median(read),
        write=write,
        together=_together([times[1:] for times in await asyncio.gather(*work)]),
    )


async def _times(engine: Engine, prompt: Sequence[int], writing: Sequence[int], *, key: str = "") -> list[float]:
    """When a request began, when its prompt was read, and when each token that it wrote was read, in seconds."""
    times: list[float] = []

    def work(_emit: Emit[Any]) -> Steps[None]:
        sequence = TokenSequence(remember=0)
        times.append(time.perf_counter())
        yield from sequence.read(prompt)
        times.append(time.perf_counter())
        for number, token in enumerate(writing):
            if number >= _FEWEST and times[-1] - times[1] > _PATIENCE:
                break
            yield from sequence.read([token])
            times.append(time.perf_counter())

    async for _ in engine.run(work, key=key):
        pass
    return times


def _together(requests: Sequence[Sequence[float]]) -> float:
    """Tokens per second from when all had read their prompts to when the last one ended."""
    begin, end = max(times[0] for times in requests), max(times[-1] for times in requests)
    return sum(time > begin for times in requests for time in times) / (end - begin)
