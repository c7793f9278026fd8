"""Where jobs wait: each key has a line of its own, and the keys take turns."""

import threading
from collections import OrderedDict, deque
from collections.abc import Mapping

from sre_core.errors import RateLimitedError
from sre_smollm.engine.job import Job

__all__ = ["FairQueue"]


class FairQueue:
    """Jobs in line, at most `size`. Safe to use from several threads at once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._lines: OrderedDict[str, deque[Job]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, job: Job) -> None:
        """Add a job at the end of its line. Raises RateLimitedError when the queue is full."""
        with self._lock:
            if self._count >= self._size:
                raise RateLimitedError(
                    f"{self._count} requests wait for the on-device model already",
                    hint="ask again later, run fewer agents at once, or raise the setting queue",
                )
            self._lines.setdefault(job.key, deque()).append(job)
            self._count += 1

    def remove(self, job: Job) -> bool:
        """Take a job out of its line; False when it no longer waits."""
        with self._lock:
            line = self._lines.get(job.key, ())
            if job not in line:
                return False
            self._lines[job.key].remove(job)
            self._tidy(job.key)
            return True

    def take(self, running: Mapping[str, int]) -> Job | None:
        """The next job: of the key with the fewest running ones, the one whose turn is longest ago among equals."""
        with self._lock:
            if not self._lines:
                return None
            key = min(self._lines, key=lambda key: running.get(key, 0))
            job = self._lines[key].popleft()
            self._lines.move_to_end(key)
            self._tidy(key)
            return job

    def _tidy(self, key: str) -> None:
        self._count -= 1
        if not self._lines[key]:
            del self._lines[key]
