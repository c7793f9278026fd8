"""One call through a handle: access check, start, span, deadline, and translation of foreign errors."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Protocol, TypeVar

from sre_core import logs, telemetry
from sre_core.access.guard import AccessRequest, Guard
from sre_core.connectors.deadline import Alarm, Deadline
from sre_core.errors import ConnectorError, DeadlineError, SREError

__all__ = ["Operation", "Target", "collect", "stream"]

log = logs.get_logger(__name__)
T = TypeVar("T")


class Target(Protocol):
    """What an operation needs to know of a connector, and how to start it."""

    @property
    def service(self) -> str:
        """Its kind."""
        ...

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def started(self) -> bool:
        """Whether it runs now."""
        ...

    async def start(self) -> None:
        """Start it, or wait for whoever does. Raises ConnectorError or ConfigError."""
        ...

    def alarm(self, seconds: float) -> Alarm:
        """What rings for its calls that take longer than that; the same one each time."""
        ...


class Operation:
    """An async context around one call of a connector.

    A class, since `asynccontextmanager` would cost as much as all the rest. The guard is asked first, so that
    a denied call neither reaches nor starts the backend.
    """

    __slots__ = ("_began", "_deadline", "_guard", "_name", "_request", "_span", "_target", "_theirs", "timeout")

    def __init__(
        self,
        name: str,
        target: Target,
        *,
        guard: Guard | None = None,
        request: AccessRequest | None = None,
        timeout: float | None = None,
    ) -> None:
        """`timeout` in seconds; None waits for ever."""
        self._name = name
        self._target = target
        self._guard = guard
        self._request = request
        self._deadline: Deadline | None = None
        self._theirs: BaseException | None = None
        self.timeout = timeout

    async def open(self) -> None:
        """Ask the guard, start the connector if this is its first use, begin the span."""
        if self._guard is not None and self._request is not None:
            await self._guard.check(self._request)
        if not self._target.started:
            await self._target.start()
        self._began = time.perf_counter()
        self._span = telemetry.Span(
            f"{self._target.service} {self._name}",
            {"sre.service": self._target.service, "sre.connector": self._target.name},
        )

    def close(self, error: BaseException | None) -> BaseException | None:
        """End the span; return `error` as one of ours: unchanged if it is one already, or a cancellation."""
        translated = self._translate(error)
        self._span.end(translated)
        if log.enabled_for_debug():
            log.debug(
                "operation_finished",
                service=self._target.service,
                operation=self._name,
                connector=self._target.name,
                seconds=round(time.perf_counter() - self._began, 6),
                error=getattr(translated, "code", None) or (translated and type(translated).__name__),
            )
        return translated

    def _translate(self, error: BaseException | None) -> BaseException | None:
        if error is None or isinstance(error, SREError) or not isinstance(error, Exception):
            return error
        if error is self._theirs:
            return error
        what = f"{self._target.service} {self._name} through {self._target.name!r}"
        if isinstance(error, TimeoutError):
            limit = "in time" if self.timeout is None else f"within {self.timeout:g} s"
            return DeadlineError(
                f"{what} did not finish {limit}", hint="raise [timeouts] in sre.toml, or try again later"
            )
        # Only the type: a foreign message may quote a secret, and the cause keeps it for a debugger.
        return ConnectorError(
            f"{what} failed: {type(error).__name__}",
            hint="its cause is the exception's __cause__; use --debug",
        )

    def deadline(self) -> Deadline | None:
        """One for the waits of this call; None when they may last for ever."""
        return None if self.timeout is None else Deadline(self._target.alarm(self.timeout))

    def go_on(self) -> None:
        """Begin the time of the deadline anew."""
        if self._deadline is not None:
            self._deadline.stop(None)
            self._deadline.start()

    def paced(self, chunks: AsyncIterable[T]) -> AsyncGenerator[T]:
        """`chunks`, for a connector to read: the time that their maker takes does not count against the deadline,
        and what their maker raises stays as it is."""
        return self._paced(chunks, asyncio.current_task())

    async def _paced(self, chunks: AsyncIterable[T], waiting: "asyncio.Task[Any] | None") -> AsyncGenerator[T]:
        items = aiter(chunks)
        # A connector that reads in a task of its own is waited for by another one, whose deadline goes on.
        deadline = self._deadline if asyncio.current_task() is waiting else None
        while True:
            if deadline is not None:
                deadline.stop(None)
            try:
                chunk = await anext(items)
            except StopAsyncIteration:
                return
            except Exception as error:
                self._theirs = error
                raise
            finally:
                if deadline is not None:
                    deadline.start()
            yield chunk

    async def __aenter__(self) -> "Operation":
        await self.open()
        self._span.attach()
        self._deadline = deadline = self.deadline()
        if deadline is not None:
            deadline.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._deadline is not None:
            error = _ended(self._deadline, error)
            self._deadline.close()
        translated = self.close(error)
        if translated is not None and translated is not error:
            raise translated from error


async def collect(operation: Operation, source: Callable[[], AsyncGenerator[T]]) -> list[T]:
    """All items of a connector's async generator, as `operation`; the deadline is for each item."""
    found: list[T] = []
    async with operation, aclosing(source()) as items:
        async for item in items:
            found.append(item)
            operation.go_on()
    return found


async def stream(operation: Operation, source: Callable[[], AsyncGenerator[T]]) -> AsyncGenerator[T]:
    """Run a connector's async generator as `operation`.

    The deadline is for each item, and no span or cancel scope is open across a yield.
    """
    await operation.open()
    error: BaseException | None = None
    deadline = operation.deadline()
    try:
        async with aclosing(source()) as items:
            if deadline is None:
                async for item in items:
                    yield item
                return
            while True:
                deadline.start()
                try:
                    item = await items.__anext__()
                except StopAsyncIteration:
                    return
                except BaseException as raised:
                    ended = _ended(deadline, raised)
                    if ended is None or ended is raised:
                        raise
                    raise ended from raised
                deadline.stop(None)
                yield item
    except GeneratorExit:
        raise
    except BaseException as raised:
        error = raised
        raise
    finally:
        if deadline is not None:
            deadline.close()
        translated = operation.close(error)
        if translated is not None and translated is not error:
            raise translated from error


def _ended(deadline: Deadline, error: BaseException | None) -> BaseException | None:
    """How a wait ended: `error`, or a TimeoutError in place of the cancellation that came from its deadline."""
    if not deadline.stop(error):
        return error
    expired = TimeoutError()
    expired.__cause__ = error
    return expired
