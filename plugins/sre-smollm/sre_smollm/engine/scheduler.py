"""Which tokens are read next, of whom, and what happens with the scores: one step of the network after another."""

import time
from collections import Counter
from typing import Any

from sre_core import logs
from sre_core.errors import ConnectorError, UnavailableError
from sre_smollm.engine.fair_queue import FairQueue
from sre_smollm.engine.job import Job, Task
from sre_smollm.engine.memory import Memory
from sre_smollm.engine.planner import SHORT, Limits, Plan, Slice
from sre_smollm.engine.pressure import Pressure
from sre_smollm.engine.reading import Read, TokenSequence
from sre_smollm.engine.stats import Counters, EngineStats
from sre_smollm.networks.base import Network, OutOfMemoryError, Row

__all__ = ["Scheduler"]

log = logs.get_logger(__name__)

_STOPPED = "the on-device model was stopped"


class Scheduler:
    """Runs jobs on one network, together. `submit`, `withdraw` and `stats` are for any thread, the rest for one.

    Each step reads what running jobs write next, a token or a few each, and a piece of one long read besides; long
    reads are done one after another, in the order in which they were asked for. What a sequence shares with others is
    looked up only when its own reading begins, so that jobs which arrive together find what the first of them read.
    """

    def __init__(self, network: Network, limits: Limits) -> None:
        self._network = network
        self._limits = limits
        self._queue = FairQueue(limits.queue)
        self._memory = Memory(network, limits.cache_bytes)
        self._counters = Counters()
        self._pressure = Pressure(self._memory, limits, self._counters)
        self._running: dict[int, Job] = {}
        self._asked = 0
        self._turn = 0
        self._closed = False

    def submit(self, job: Job) -> None:
        """Let a job wait for its turn. Raises RateLimitedError when too many wait, UnavailableError after close."""
        self._queue.put(job)
        if self._closed and self._queue.remove(job):
            raise UnavailableError(_STOPPED, hint="start its connector again")

    def withdraw(self, job: Job) -> bool:
        """Take back a job that waits; False when it runs or is over. Then set its `cancelled`."""
        return self._queue.remove(job)

    def stats(self) -> EngineStats:
        """A look at what goes on."""
        kept = self._memory.kept
        return EngineStats(
            loaded=not self._closed,
            waiting=len(self._queue),
            running=len(self._running),
            kept=len(kept),
            kept_bytes=kept.nbytes,
            live_bytes=self._memory.live_bytes,
            evictions=kept.evictions,
            **self._counters.values(),
        )

    def step(self) -> bool:
        """Admit, read, and let jobs go on; False when there is nothing to do until a job comes or finds room."""
        moved = self._sweep()
        moved |= self._admit()
        slices = self._choose()
        if slices:
            self._read(slices)
        active = [job for job in self._running.values() if not job.paused()]
        for job in active:
            if job.ready and job.number in self._running:
                self._advance(job)
        # A step that only made room leaves work for the next one.
        return moved or bool(active)

    def close(self, error: Exception | None = None) -> None:
        """End all jobs, those that wait too, with `error`, and free all memory."""
        self._closed = True
        error = error or UnavailableError(_STOPPED, hint="start its connector again")
        while (waiting := self._queue.take({})) is not None:
            waiting.over(error)
        for job in list(self._running.values()):
            self._finish(job, error)
        self._memory.close()

    # Jobs

    def _sweep(self) -> bool:
        gone = [job for job in self._running.values() if job.cancelled]
        for job in gone:
            self._finish(job, None)
        return bool(gone)

    def _admit(self) -> bool:
        # A job that waits for its reader takes no part, and keeps nobody out.
        active = Counter(job.key for job in self._running.values() if not job.paused())
        came = False
        while active.total() < self._limits.batch and (job := self._queue.take(active)) is not None:
            came = True
            self._asked += 1
            job.number = self._asked
            job.admitted = time.perf_counter()
            self._running[job.number] = job
            active[job.key] += 1
            self._advance(job)
        return came

    def _advance(self, job: Job) -> None:
        """Give a job its scores, and take what it wants read next. Its errors are its own."""
        scores = [task.result(self._network.info.vocabulary) for task in job.tasks]
        job.tasks = []
        try:
            if job.steps is None:
                job.steps = job.work()
                reads = next(job.steps)
            else:
                reads = job.steps.send(scores)
            self._accept(job, reads)
        except StopIteration:
            self._finish(job, None)
        except Exception as error:  # noqa: BLE001 -- handed on to whoever waits for the job; the others go on
            self._finish(job, error)
        else:
            self._count(job)

    def _accept(self, job: Job, reads: tuple[Read, ...]) -> None:
        for read in reads:
            size, most = len(read.sequence.ids) + len(read.ids), self._network.info.context_tokens
            if size > most:
                raise ConnectorError(
                    f"a text of {size} tokens is longer than the model's context of {most}",
                    hint="shorten the conversation (limits.window_tokens)",
                )
        for read in reads:
            sequence = read.sequence
            if not sequence.ids:
                self._counters.prompt_tokens += len(read.ids) - sequence.written
            sequence.ids.extend(read.ids)
            if sequence.cache is not None:
                self._memory.account(sequence)
            job.sequences.add(sequence)
        job.tasks = [Task(read) for read in reads]
        self._asked += 1
        job.asked = self._asked

    def _count(self, job: Job) -> None:
        written = sum(sequence.written for sequence in job.sequences)
        forced = sum(sequence.forced for sequence in job.sequences)
        self._counters.written_tokens += written - job.written
        self._counters.forced_tokens += forced - job.forced
        job.written, job.forced = written, forced

    def _finish(self, job: Job, error: Exception | None, *, spoilt: bool = False) -> None:
        """End a job. What it has read is kept, unless it is `spoilt`."""
        self._running.pop(job.number, None)
        try:
            if job.steps is not None:
                job.steps.close()
        except Exception as fault:  # noqa: BLE001 -- the job is over, and nobody waits for what it does at its end
            log.warning("job_failed_at_its_end", error=str(fault))
        self._count(job)
        for sequence in job.sequences:
            if spoilt:
                self._memory.drop(sequence)
            else:
                self._memory.park(sequence)
        job.over(error)

    # Reading

    def _busy(self) -> set[TokenSequence]:
        """The sequences that somebody waits to see read."""
        jobs = (job for job in self._running.values() if not job.paused())
        return {task.read.sequence for job in jobs for task in job.tasks if not task.done}

    def _choose(self) -> list[Slice]:
        """The rows of the next step."""
        if self._memory.over and (alone := self._pressure.relieve(self._busy())) is not None:
            self._too_large(next(job for job in self._running.values() if alone in job.sequences))
        plan = Plan(scores=max(1, self._limits.score_bytes // (4 * self._network.info.vocabulary)))
        jobs = [job for job in self._running.values() if not job.ready and not job.paused()]
        short = [task for job in jobs for task in job.tasks if _short(task)]
        if len(short) > self._limits.batch:
            # More than a step takes: they go in turns.
            self._turn = (self._turn + self._limits.batch) % len(short)
            short = (short[self._turn :] + short[: self._turn])[: self._limits.batch]
        for task in short:
            plan.short(task)
        self._add_long(plan, sorted(jobs, key=lambda job: job.asked))
        # Finding memory for one may have taken it from another.
        return [one for one in plan.slices if one.task.begun]

    def _add_long(self, plan: Plan, jobs: list[Job]) -> None:
        """Add a piece of the first long read that can go on, and what turns out to be short on the way there."""
        tokens = self._pressure.chunk
        if plan.slices:
            tokens = min(tokens, self._limits.busy_chunk)
        blocked = False
        for job in jobs:
            before = tokens
            for task in job.tasks:
                if task.done or _short(task):
                    continue
                # Nobody overtakes a read that waits for memory, but those that have theirs go on.
                if not task.begun and (blocked := blocked or not self._begin(job, task)):
                    if job.number not in self._running:
                        break
                    continue
                if task.left == 0:
                    self._end(task)
                elif _short(task):
                    plan.short(task)
                elif tokens > 0:
                    task.long = True
                    tokens -= plan.piece(task, tokens)
            if tokens < before or plan.full:
                return

    def _begin(self, job: Job, task: Task) -> bool:
        """Find memory for a read, and what is known of its tokens; False when it has to wait, or its job failed."""
        sequence = task.read.sequence
        while True:
            if len(self._memory) >= self._pressure.most:
                if not self._pressure.idle(self._busy()):
                    return False
                continue
            try:
                known = self._memory.begin(sequence, owner=job.number, keep=task.wanted)
            except OutOfMemoryError as error:
                if not self._pressure.shrink(self._busy()):
                    self._finish(job, _no_memory(error))
                return False
            if known is not None:
                self._found(job, sequence, known)
                return True
            if not self._pressure.idle(self._busy()):
                if not len(self._memory):
                    self._too_large(job)
                return False

    def _found(self, job: Job, sequence: TokenSequence, known: int) -> None:
        if sequence in job.begun:
            return
        job.begun.add(sequence)
        sequence.cached = known
        self._counters.cached_tokens += known
        if known:
            self._counters.hits += 1
        else:
            self._counters.misses += 1

    def _read(self, slices: list[Slice]) -> None:
        """One step of the network."""
        try:
            found = self._network.forward([_row(one) for one in slices])
        except OutOfMemoryError as error:
            if not self._pressure.shrink(self._busy()):
                self._fail(slices, _no_memory(error), spoilt=False)
            return
        except ConnectorError as error:
            self._fail(slices, error)
            return
        except Exception as fault:  # noqa: BLE001 -- a driver may raise anything; the jobs of other steps go on
            self._fail(slices, _failed(self._network.name, fault))
            return
        self._pressure.relax()
        self._counters.steps += 1
        self._counters.rows += len(slices)
        for one, scores in zip(slices, found, strict=True):
            one.task.take(scores)
            self._memory.account(one.task.read.sequence)
            if one.task.done:
                self._end(one.task)

    def _end(self, task: Task) -> None:
        task.done = True
        if task.read.final:
            self._memory.park(task.read.sequence)

    def _fail(self, slices: list[Slice], error: ConnectorError, *, spoilt: bool = True) -> None:
        log.warning("step_failed", network=self._network.name, error=str(error))
        tasks = {id(one.task) for one in slices}
        for job in list(self._running.values()):
            if any(id(task) in tasks for task in job.tasks):
                self._finish(job, error, spoilt=spoilt)

    def _too_large(self, job: Job) -> None:
        limit, most = self._limits.cache_bytes, self._memory.most
        error = ConnectorError(
            f"the text needs more memory for keys and values than cache_bytes = {limit}, enough for {most} tokens",
            hint="raise cache_bytes, or shorten the conversation (limits.window_tokens)",
        )
        self._finish(job, error)


def _short(task: Task) -> bool:
    """Whether a read that has begun goes along with what others write."""
    return task.begun and not task.done and not task.long and task.left <= SHORT


def _row(one: Slice) -> Row:
    sequence: Any = one.task.read.sequence
    start = sequence.cache.length
    return Row(cache=sequence.cache, ids=sequence.ids[start : start + one.size], keep=one.task.keep(one.size))


def _failed(name: str, fault: Exception) -> ConnectorError:
    error = ConnectorError(
        f"the network {name!r} failed: {type(fault).__name__}: {fault}",
        hint="ask again; if it fails every time, choose another engine in the settings",
    )
    error.__cause__ = fault
    return error


def _no_memory(error: OutOfMemoryError) -> ConnectorError:
    out = UnavailableError(
        f"there is not enough memory for this text, even alone: {error}",
        hint="shorten the conversation, lower cache_bytes, or use a smaller model or smaller weights",
    )
    out.__cause__ = error
    return out
