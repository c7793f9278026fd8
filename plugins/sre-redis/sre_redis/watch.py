"""A deadline for each of many calls, with one timer for all of them."""

import asyncio
from types import TracebackType

__all__ = ["Watch"]


class Watch:
    """Ends calls that take longer than `seconds`, all the same: so the oldest call is the next to be too late.

    `asyncio.timeout` sets a timer for each, which takes as long as a fifth of a whole call to Redis.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._calls: dict[_Call, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def call(self) -> "_Call":
        """A context for one call by the current task; it raises TimeoutError in place of the cancellation it makes."""
        return _Call(self)

    def close(self) -> None:
        """Drop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def begin(self, call: "_Call") -> None:
        """`call` counts from now."""
        loop = asyncio.get_running_loop()
        call.ends = loop.time() + self.seconds
        self._calls[call] = None
        if self._timer is None:
            self._timer = loop.call_at(call.ends, self._ring, loop)

    def end(self, call: "_Call") -> None:
        """`call` is over."""
        self._calls.pop(call, None)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        late = []
        for call in self._calls:
            # The loop rings within the resolution of its clock, so a little early counts as late.
            if call.ends > loop.time() + 1e-3:
                self._timer = loop.call_at(call.ends, self._ring, loop)
                break
            late.append(call)
        for call in late:
            del self._calls[call]
            call.cancel()


class _Call:
    __slots__ = ("_before", "_late", "_task", "_watch", "ends")

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._late = False
        self.ends = 0.0

    def cancel(self) -> None:
        """It took too long."""
        self._late = True
        self._task.cancel()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task that it can cancel")
        self._task = task
        self._before = task.cancelling()
        self._watch.begin(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.end(self)
        # Somebody else may have cancelled the task as well: then it is theirs.
        if self._late and self._task.uncancel() <= self._before and isinstance(error, asyncio.CancelledError):
            raise TimeoutError from error
