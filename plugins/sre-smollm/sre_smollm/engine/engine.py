"""One network for many requests: async in front, one thread with a scheduler behind."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from sre_core import logs
from sre_core.errors import UnavailableError
from sre_smollm.engine.job import Job
from sre_smollm.engine.outbox import Outbox
from sre_smollm.engine.planner import Limits
from sre_smollm.engine.reading import Steps, TokenSequence
from sre_smollm.engine.stats import EngineStats
from sre_smollm.engine.thread import EngineThread
from sre_smollm.networks.base import Network, NetworkInfo

__all__ = ["Emit", "Engine"]

log = logs.get_logger(__name__)

T = TypeVar("T")
Emit = Callable[[T], None]


class Engine:
    """Loads a network when it is first needed, and runs work on it for many at once. For one event loop.

    `load` is called on a thread of the engine's own, and so is everything of the network that it makes. After
    `unload_after` seconds without work the network is freed, and loaded again for the next work.
    """

    def __init__(
        self,
        load: Callable[[], Network],
        *,
        limits: Limits | None = None,
        unload_after: float | None = None,
        system: str = "smollm",
    ) -> None:
        self._load = load
        self._limits = limits or Limits()
        self._unload_after = unload_after
        self._system = system
        self._open = False
        self._thread: EngineThread | None = None
        self._closing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._jobs = 0
        self._info: NetworkInfo | None = None

    @property
    def started(self) -> bool:
        """Whether work is taken."""
        return self._open

    @property
    def loaded(self) -> bool:
        """Whether the network is in memory now."""
        return self._thread is not None and self._thread.alive and self._thread.stats().loaded

    @property
    def info(self) -> NetworkInfo:
        """What the network is; known from its first loading on. Raises UnavailableError before."""
        if self._info is None:
            raise UnavailableError("the on-device model was not loaded yet", hint="await engine.start() first")
        return self._info

    def stats(self) -> EngineStats:
        """What was done since the network was loaded."""
        return self._thread.stats() if self._thread is not None else EngineStats()

    async def start(self, *, lazy: bool = False) -> None:
        """Take work from now on, and load the network unless `lazy`. Raises what `load` raises."""
        self._open = True
        if not lazy:
            await self._ready()
            self._rest()

    async def warm(self) -> None:
        """Load the network and let it read a token, so that the first request waits for nothing."""
        async for _ in self.run(_one_token, key="warm"):
            pass

    async def unload(self) -> None:
        """Free the network; work that runs or waits gets UnavailableError. The next work loads it again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()
            before, self._closing = self._closing, asyncio.create_task(asyncio.to_thread(thread.join))
            if before is not None:
                await asyncio.shield(before)
        if self._closing is not None:
            await asyncio.shield(self._closing)

    async def stop(self) -> None:
        """Free the network and take no more work until `start`. Safe to call twice."""
        self._open = False
        await self.unload()

    async def run(self, work: Callable[[Emit[T]], Steps[None]], *, key: str = "") -> AsyncGenerator[T]:
        """Run `work` with others, and yield what it emits, as it comes.

        `work` gets a function to emit results with and makes the steps, on the engine's thread. Works of one `key`
        take turns with those of others. Closing this generator ends the work before its next step, and returns when
        it is over. Raises RateLimitedError when too many wait, UnavailableError when the engine is or gets stopped,
        and whatever the work raises.
        """
        thread = await self._ready()
        outbox: Outbox[T] = Outbox(self._limits.results, thread.ring)
        job = Job(lambda: work(outbox.put), key=key, paused=outbox.full)

        def over(error: Exception | None) -> None:
            job.first = outbox.first
            thread.finished(job, error)
            outbox.close(error)

        job.over = over
        thread.submit(job)
        self._come()
        try:
            while (item := await outbox.get()) is not None:
                yield item
        finally:
            self._leave()
            if not outbox.over:
                thread.cancel(job)
                await outbox.closed()

    async def _ready(self) -> EngineThread:
        """The thread, with the network loaded."""
        while True:
            if not self._open:
                raise UnavailableError("the on-device model is not running", hint="start its connector first")
            if (closing := self._closing) is not None:
                # Two networks at once may be more than there is memory for.
                await asyncio.shield(closing)
                if self._closing is closing:
                    self._closing = None
                continue
            if self._thread is None or not self._thread.alive:
                log.debug("network_loading")
                self._thread = EngineThread(self._load, self._limits, system=self._system)
            thread = self._thread
            try:
                self._info = await asyncio.wrap_future(thread.loaded)
            finally:
                if self._thread is thread and thread.loaded.done() and thread.loaded.exception() is not None:
                    self._thread = None
            if self._thread is thread and thread.alive:
                return thread

    def _come(self) -> None:
        self._jobs += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _leave(self) -> None:
        self._jobs -= 1
        self._rest()

    def _rest(self) -> None:
        """Free the network after a while if no work comes."""
        if not self._jobs and self._unload_after is not None and self._thread is not None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = asyncio.get_running_loop().call_later(self._unload_after, self._idle)

    def _idle(self) -> None:
        self._timer = None
        thread, self._thread = self._thread, None
        if thread is not None:
            log.debug("network_unloaded", after=self._unload_after)
            thread.stop()
            self._closing = asyncio.get_running_loop().create_task(asyncio.to_thread(thread.join))


def _one_token(_emit: Emit[None]) -> Steps[None]:
    yield from TokenSequence(remember=0).read([0])
