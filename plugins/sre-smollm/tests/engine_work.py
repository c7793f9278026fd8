"""Work for the tests of the engine: greedy writing, and networks that fail or run out of memory when they are told."""

from collections.abc import Callable, Sequence

from sre_core.errors import UnavailableError
from sre_smollm.engine.job import Job
from sre_smollm.engine.reading import TokenSequence
from sre_smollm.engine.scheduler import Scheduler
from sre_smollm.networks.base import KVCache, Network, OutOfMemoryError, Row


def writing(prompt: Sequence[int], count: int, *, remember: int | None = None):
    """Work that emits `count` tokens after a prompt, always the likeliest one."""

    def work(emit):
        sequence = TokenSequence(remember=remember)
        scores = yield from sequence.read(prompt)
        for place in range(count):
            token = int(scores[-1].argmax())
            sequence.written += 1
            emit(token)
            if place + 1 < count:
                scores = yield from sequence.read([token])

    return work


class Run:
    """A job in a scheduler, with what it emitted and how it ended."""

    def __init__(self, scheduler: Scheduler, work: Callable, *, key: str = "", paused=lambda: False) -> None:
        self.items: list = []
        self.ends: list = []
        self.job = Job(lambda: work(self.items.append), key=key, paused=paused, over=self.ends.append)
        scheduler.submit(self.job)

    @property
    def over(self) -> bool:
        return bool(self.ends)

    @property
    def error(self) -> Exception | None:
        assert len(self.ends) == 1, "a job ends once"
        return self.ends[0]


def finish(scheduler: Scheduler) -> None:
    while scheduler.step():
        pass


class Watched(Network):
    """A real network that notes its steps, fails when `fault` is set, and runs out of memory when it is told.

    It has memory for `room` tokens in a step, and none for its next `no_caches` caches.
    """

    name = "watched"

    def __init__(self, network: Network) -> None:
        self._network = network
        self.info = network.info
        self.steps: list[list[int]] = []
        self.no_caches = 0
        self.fault: Callable[[Sequence[Row]], Exception | None] = lambda _rows: None
        self.room: int | None = None
        self.closed = False

    def cache(self) -> KVCache:
        if self.no_caches:
            self.no_caches -= 1
            raise OutOfMemoryError("no cache")
        return self._network.cache()

    def forward(self, rows: Sequence[Row]):
        if (fault := self.fault(rows)) is not None:
            raise fault
        if self.room is not None and sum(row.cache.length + len(row.ids) for row in rows) > self.room:
            raise OutOfMemoryError("no room")
        self.steps.append([len(row.ids) for row in rows])
        return self._network.forward(rows)

    def close(self) -> None:
        self.closed = True

    @property
    def tokens(self) -> int:
        """Tokens that were computed."""
        return sum(sum(step) for step in self.steps)


def stopped(error: Exception | None) -> bool:
    return isinstance(error, UnavailableError)
