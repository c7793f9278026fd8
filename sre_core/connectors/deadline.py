"""Deadlines for one wait after another, which cost less than `asyncio.timeout` for each: they share a timer."""

import asyncio

__all__ = ["Alarm", "Deadline"]

_EARLY = 1e-3  # the loop rings within the resolution of its clock


class Alarm:
    """Rings for all deadlines of one length. They are due in the order in which they began, so one timer will do.

    It is set for whoever waits longest, and moved only when it rings. Belongs to one event loop.
    """

    __slots__ = ("_timer", "_waiting", "loop", "seconds")

    def __init__(self, seconds: float) -> None:
        """`seconds` are for each wait. Raises RuntimeError when no event loop runs."""
        self.seconds = seconds
        self.loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        # By the time when they are due: a dict keeps the order.
        self._waiting: dict[Deadline, float] = {}

    def rest(self) -> None:
        """Leave no timer behind if nobody waits."""
        if self._timer is not None and not self._waiting:
            self._timer.cancel()
            self._timer = None

    def set(self, deadline: "Deadline") -> None:
        """Ring for a deadline that was not set, in `seconds` from now."""
        self._waiting[deadline] = due = self.loop.time() + self.seconds
        if self._timer is None:
            self._timer = self.loop.call_at(due, self._ring)

    def drop(self, deadline: "Deadline") -> None:
        """Do not ring for a deadline, if it is set."""
        self._waiting.pop(deadline, None)

    def _ring(self) -> None:
        self._timer = None
        now = self.loop.time() + _EARLY
        while self._waiting:
            deadline, due = next(iter(self._waiting.items()))
            if due > now:
                self._timer = self.loop.call_at(due, self._ring)
                return
            del self._waiting[deadline]
            deadline.ring()


class Deadline:
    """Cancels the task that waits too long; `stop` says whether that is why the wait ended.

    Between `stop` and `start` time does not count, and the waits may be those of different tasks.
    """

    __slots__ = ("_alarm", "_cancelling", "_rang", "_task")

    def __init__(self, alarm: Alarm) -> None:
        """`alarm` says how long each wait may be."""
        self._alarm = alarm
        self._task: asyncio.Task[object] | None = None
        self._rang = False

    def start(self) -> None:
        """The current task begins to wait. Raises RuntimeError when there is none."""
        task = asyncio.current_task(self._alarm.loop)  # to find the loop would cost more than all the rest
        if task is None:
            raise RuntimeError("a deadline needs a task that it can cancel")
        self._task = task
        self._cancelling = task.cancelling()
        self._alarm.set(self)

    def stop(self, error: BaseException | None) -> bool:
        """The wait is over, with `error`; whether it is only the cancellation that came from here."""
        task, self._task = self._task, None
        if not self._rang:
            self._alarm.drop(self)
            return False
        self._rang = False
        # Somebody else may have cancelled the task as well: then it is theirs.
        return task is not None and task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError)

    def change(self, alarm: Alarm) -> None:
        """From now on, this and the next waits may be as long as `alarm` says."""
        old, self._alarm = self._alarm, alarm
        if self._task is not None and not self._rang:
            old.drop(self)
            alarm.set(self)

    def close(self) -> None:
        """Never ring."""
        self._alarm.drop(self)

    def ring(self) -> None:
        """The time is up."""
        if self._task is not None:
            self._rang = True
            self._task.cancel()
