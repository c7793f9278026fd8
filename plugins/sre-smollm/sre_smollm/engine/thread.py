"""The one thread that uses a network: it loads it, runs the scheduler, and frees it."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from sre_core import logs
from sre_core.errors import ConnectorError, UnavailableError
from sre_smollm.engine.job import Job
from sre_smollm.engine.metrics import Metrics
from sre_smollm.engine.planner import Limits
from sre_smollm.engine.scheduler import Scheduler
from sre_smollm.engine.stats import EngineStats
from sre_smollm.networks.base import Network, NetworkInfo

__all__ = ["EngineThread"]

log = logs.get_logger(__name__)

# Seconds after which a busy engine tells its numbers again; an idle one tells them at once.
_TELL = 1.0


class EngineThread:
    """A network at work, from its loading to its end. All methods are for other threads, and none of them waits.

    `loaded` holds what the network is, or why it could not be loaded.
    """

    def __init__(self, load: Callable[[], Network], limits: Limits, *, system: str) -> None:
        self._load = load
        self._limits = limits
        self._system = system
        self._bell = threading.Event()
        self._stopping = False
        self._scheduler: Scheduler | None = None
        self._metrics: Metrics | None = None
        self.loaded: Future[NetworkInfo] = Future()
        # Whoever stops waiting for it must not cancel it for others.
        self.loaded.set_running_or_notify_cancel()
        # A program that ends without stopping its engine is not held up.
        self._thread = threading.Thread(target=self._main, name="sre-smollm", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it loads or works still."""
        return self._thread.is_alive() and not self._stopping

    def submit(self, job: Job) -> None:
        """Let a job wait for its turn. Raises RateLimitedError when too many wait, UnavailableError when not loaded."""
        if self._scheduler is None:
            raise UnavailableError("the on-device model is not loaded", hint="start its connector first")
        self._scheduler.submit(job)
        self.ring()

    def cancel(self, job: Job) -> None:
        """Let a job end before its next step; its `over` is called then."""
        job.cancelled = True
        if self._scheduler is not None and self._scheduler.withdraw(job):
            job.over(None)
        self.ring()

    def ring(self) -> None:
        """Say that something has changed."""
        self._bell.set()

    def stats(self) -> EngineStats:
        """A look at what goes on."""
        return self._scheduler.stats() if self._scheduler is not None else EngineStats()

    def stop(self) -> None:
        """End everything after the step that runs now."""
        self._stopping = True
        self.ring()

    def join(self) -> None:
        """Wait until all is freed. This one does wait."""
        self._thread.join()

    def finished(self, job: Job, error: Exception | None) -> None:
        """Tell the metrics about a job that is over."""
        if self._metrics is not None:
            self._metrics.finished(job, now=time.perf_counter(), error=error)

    def _main(self) -> None:
        try:
            network = self._load()
            scheduler = Scheduler(network, self._limits)
            self._metrics = Metrics(network.info, system=self._system)
        except BaseException as error:  # noqa: BLE001 -- handed on to whoever waits
            self.loaded.set_exception(error)
            return
        self._scheduler = scheduler
        self.loaded.set_result(network.info)
        failure: ConnectorError | None = None
        try:
            self._run(scheduler, self._metrics)
        except Exception as fault:
            log.exception("engine_failed", network=network.name)
            failure = ConnectorError(
                f"the on-device engine failed: {fault}", hint="ask again; the model is loaded anew"
            )
        finally:
            self._stopping = True
            scheduler.close(failure)
            self._metrics.tell(scheduler.stats())
            network.close()

    def _run(self, scheduler: Scheduler, metrics: Metrics) -> None:
        told = 0.0
        while True:
            # Cleared before the look, so that a ring during it is not lost.
            self._bell.clear()
            if self._stopping:
                return
            idle = not scheduler.step()
            if idle or time.perf_counter() - told > _TELL:
                metrics.tell(scheduler.stats())
                told = time.perf_counter()
            if idle:
                self._bell.wait()
