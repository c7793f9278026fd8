"""Carries the results of a job from the engine's thread to whoever reads them, not many at a time."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Outbox"]

T = TypeVar("T")


class Outbox(Generic[T]):
    """Results on their way. `put` and `close` are for any thread, `get` is for the event loop that made it.

    It never refuses a result, but says when it is `full`; `room` is called once it is half empty again.
    """

    def __init__(self, size: int, room: Callable[[], None]) -> None:
        self._size = size
        self._room = room
        self._loop = asyncio.get_running_loop()
        self._came = asyncio.Event()
        self._lock = threading.Lock()
        self._items: deque[T] = deque()
        self._waits = False
        self._full = False
        self._closed = False
        self._error: Exception | None = None
        self.first = 0.0
        """When the first result came."""

    @property
    def over(self) -> bool:
        """Whether no result follows."""
        return self._closed

    def full(self) -> bool:
        """Whether the reader has to catch up first."""
        return self._full

    def put(self, item: T) -> None:
        """Add a result."""
        with self._lock:
            self.first = self.first or time.perf_counter()
            self._items.append(item)
            self._full = self._full or len(self._items) >= self._size
            self._wake()

    def close(self, error: Exception | None = None) -> None:
        """Say that no result follows, for the reason of `error` if there is one."""
        with self._lock:
            self._closed, self._error = True, error
            self._wake()

    def _wake(self) -> None:
        if not self._waits:
            return
        self._waits = False
        try:
            self._loop.call_soon_threadsafe(self._came.set)
        except RuntimeError:
            # The loop is closed, and with it whoever waited.
            return

    async def get(self) -> T | None:
        """The next result, or None when none follows. Raises the error that ended the job."""
        while True:
            with self._lock:
                if self._items:
                    item = self._items.popleft()
                    eased = self._full and len(self._items) <= self._size // 2
                    self._full = self._full and not eased
                    break
                if self._closed:
                    if self._error is not None:
                        raise self._error
                    return None
                self._waits = True
                self._came.clear()
            await self._came.wait()
        if eased:
            self._room()
        return item

    async def closed(self) -> None:
        """Wait until nothing follows any more; what was not read is dropped."""
        while True:
            with self._lock:
                self._items.clear()
                self._full = False
                if self._closed:
                    return
                self._waits = True
                self._came.clear()
            await self._came.wait()
