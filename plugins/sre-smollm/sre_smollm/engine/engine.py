"""One model, one thread: work waits in line for it, and its results come back as an async stream."""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from sre_core.errors import UnavailableError
from sre_smollm.engine.sequence import Cancelled, Sequence
from sre_smollm.networks.model import Model, load
from sre_smollm.prompts.template import Template
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.sources import resolve
from sre_smollm.writing.grammar import Grammars
from sre_smollm.writing.scoring import likelihoods

__all__ = ["Engine", "Loaded", "Worker"]

T = TypeVar("T")
_END = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A model with its grammars and its chat template."""

    model: Model
    grammars: Grammars
    template: Template


class Worker:
    """What work on the engine's thread may use: the model with what belongs to it, and new sequences."""

    def __init__(self, loaded: Loaded, settings: SmolLMSettings, stopped: threading.Event) -> None:
        self.model = loaded.model
        self.grammars = loaded.grammars
        self.template = loaded.template
        self._settings = settings
        self._stopped = stopped
        self._threads = settings.threads or os.cpu_count() or 1

    def sequence(self) -> Sequence:
        """An empty sequence; its steps raise Cancelled once nobody waits for the work."""
        return Sequence(self.model, self._stopped, threads=self._threads, decode_threads=self._settings.decode_threads)

    def likelihoods(self, prefixes: list[list[int]], words: list[int]) -> list[float]:
        """How likely `words` are after each of `prefixes`, as `scoring.likelihoods` has it. Raises Cancelled."""
        import torch

        torch.set_num_threads(self._threads)
        return likelihoods(self.model, prefixes, words, self._stopped)


class Engine:
    """Loads a model and runs one piece of work after another on it, in the order of arrival.

    Everything that touches torch happens on one thread of its own; the event loop only waits.
    """

    def __init__(self, settings: SmolLMSettings) -> None:
        self._settings = settings
        self._thread: ThreadPoolExecutor | None = None
        self._loaded: Loaded | None = None
        self._running: set[threading.Event] = set()

    @property
    def started(self) -> bool:
        """Whether the model is loaded."""
        return self._loaded is not None

    @property
    def loaded(self) -> Loaded:
        """What was loaded. Raises UnavailableError before start and after stop."""
        if self._loaded is None:
            raise UnavailableError("the on-device model is not running", hint="start its connector first")
        return self._loaded

    async def start(self) -> None:
        """Find, convert if need be, and load the weights. Raises as `weights.resolve` and `model.load` do."""
        if self._loaded is not None:
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="smollm")
        self._loaded = await asyncio.get_running_loop().run_in_executor(self._thread, self._load)

    def _load(self) -> Loaded:
        model = load(resolve(self._settings), self._settings)
        template = Template(Tokenizer.load(model.folder), system_prompt=self._settings.system_prompt)
        return Loaded(model=model, grammars=Grammars(model), template=template)

    async def stop(self) -> None:
        """Stop what runs, drop what waits, free the memory. Safe to call twice."""
        thread, self._thread = self._thread, None
        for stopped in self._running:
            stopped.set()
        if thread is not None:
            await asyncio.to_thread(thread.shutdown, wait=True, cancel_futures=True)
        self._loaded = None

    async def run(self, work: Callable[[Worker], Iterator[T]]) -> AsyncGenerator[T]:
        """Run `work` on the engine's thread and yield what it yields.

        Closing this generator stops the work at its next step, and returns when the thread is free again.
        """
        thread = self._thread
        if thread is None:
            raise UnavailableError("the on-device model is not running", hint="start its connector first")
        loop = asyncio.get_running_loop()
        stopped = threading.Event()
        worker = Worker(self.loaded, self._settings, stopped)
        items: asyncio.Queue[object] = asyncio.Queue()

        def produce() -> None:
            try:
                for item in work(worker):
                    if stopped.is_set():
                        return
                    loop.call_soon_threadsafe(items.put_nowait, item)
            except Cancelled:
                return

        job = thread.submit(produce)
        done = asyncio.wrap_future(job)
        done.add_done_callback(lambda _: items.put_nowait(_END))
        self._running.add(stopped)
        try:
            while (item := await items.get()) is not _END:
                yield item  # type: ignore[misc]  # the queue also carries the mark of the end
            if done.cancelled() or stopped.is_set():
                raise UnavailableError("the on-device model was stopped", hint="start its connector again")
            done.result()
        finally:
            stopped.set()
            self._running.discard(stopped)
            # A job that still waits in line is dropped; a running one ends at its next step.
            if job.cancel():
                done.cancel()
            else:
                await asyncio.wait([done])
            if done.done() and not done.cancelled():
                done.exception()
