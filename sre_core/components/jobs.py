"""Jobs: parts of a workflow that go on by themselves, until somebody asks for their result."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sre_core import logs
from sre_core.components.size import MAX_SIZE, size_of

__all__ = ["Jobs"]

log = logs.get_logger(__name__)

_KEPT = 1000


@dataclass(slots=True)
class _Job:
    task: asyncio.Task[Any]

    def report(self) -> dict[str, Any]:
        """The state in the words that workflows use."""
        if not self.task.done():
            return {"status": "pending"}
        if self.task.cancelled():
            return {"output": {"_error": "the job was cancelled"}, "status": "failed"}
        error = self.task.exception()
        if error is not None:
            return {"output": {"_error": str(error)}, "status": "failed"}
        return {"output": self.task.result(), "status": "done"}


class Jobs:
    """The jobs of one agent in this process. A restart forgets them.

    Of finished jobs the last thousand are kept, and fewer when their results are larger than MAX_SIZE together; what
    nobody asked for until then is forgotten.
    """

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        self._running: set[str] = set()
        # How large the results of those that have ended are, the first to end first.
        self._ended: dict[str, int] = {}
        self._size = 0

    def start(
        self,
        id: str,  # noqa: A002 -- the field's own name
        work: Callable[[], Awaitable[Any]],
        *,
        node: str = "",
    ) -> None:
        """Begin a job under an id of its own; `node` is who begins it, for the log."""

        async def run() -> Any:
            return await work()

        task = asyncio.create_task(run(), name=f"job {id}")
        task.add_done_callback(partial(_log_failure, id, node))
        task.add_done_callback(partial(self._end, id))
        self._jobs[id] = _Job(task)
        self._running.add(id)

    async def wait(self, ids: Sequence[str], *, seconds: float) -> dict[str, dict[str, Any]]:
        """What became of these jobs, by id, after all have ended or `seconds` have passed.

        Each is `{"output": …, "status": …}`, where the status is "done", "failed", "pending" or "unknown_job"; the
        last two have no output.
        """
        tasks = [self._jobs[id_].task for id_ in ids if id_ in self._jobs]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        return {id_: self._jobs[id_].report() if id_ in self._jobs else {"status": "unknown_job"} for id_ in ids}

    @property
    def pending(self) -> int:
        """How many have not ended."""
        return len(self._running)

    async def join(self) -> None:
        """Wait until all have ended, also those that they start."""
        while tasks := [job.task for job in self._jobs.values() if not job.task.done()]:
            await asyncio.wait(tasks)

    async def aclose(self) -> None:
        """Cancel what has not ended. Safe to call twice."""
        tasks = [job.task for job in self._jobs.values() if not job.task.done()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _end(self, id_: str, task: asyncio.Task[Any]) -> None:
        """Keep the result, and forget the oldest ones that are too many with it."""
        self._running.discard(id_)
        is_result = not task.cancelled() and task.exception() is None
        self._ended[id_] = size_of(task.result()) if is_result else 1
        self._size += self._ended[id_]
        while len(self._ended) > _KEPT or (self._size > MAX_SIZE and len(self._ended) > 1):
            oldest = next(iter(self._ended))
            self._size -= self._ended.pop(oldest)
            del self._jobs[oldest]


def _log_failure(id_: str, node: str, task: asyncio.Task[Any]) -> None:
    """Perhaps nobody ever asks for the job. Also says to asyncio that somebody looked."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("job_failed", job=id_, node=node, error=type(error).__name__, message=str(error))
