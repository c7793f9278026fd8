"""A deadline for one wait after another, which costs less than `asyncio.timeout` for each."""

import asyncio

__all__ = ["Deadline"]


class Deadline:
    """Cancels the task that waits too long; `stop` says whether that is why the wait ended.

    The timer is moved only when it rings too early, so that a stream of a thousand items sets one timer. Between
    `stop` and `start` time does not count, and the waits may be those of different tasks.
    """

    __slots__ = ("_at", "_cancelling", "_loop", "_rang", "_seconds", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        """`seconds` are for each wait. Raises RuntimeError when no event loop runs."""
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._rang = False

    def start(self) -> None:
        """The current task begins to wait."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task that it can cancel")
        self._task = task
        self._cancelling = task.cancelling()
        self._at = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._at, self._ring)

    def stop(self, error: BaseException | None) -> bool:
        """The wait is over, with `error`; whether it is only the cancellation that came from here."""
        task, self._task = self._task, None
        if not self._rang or task is None:
            return False
        self._rang = False
        # Somebody else may have cancelled the task as well: then it is theirs.
        return task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError)

    def close(self) -> None:
        """Drop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        if self._task is None:
            return
        # The loop rings within the resolution of its clock, so a little early counts as late.
        if self._at > self._loop.time() + 1e-3:
            self._timer = self._loop.call_at(self._at, self._ring)
            return
        self._rang = True
        self._task.cancel()
