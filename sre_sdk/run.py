"""Run: one prompt on its way to its reply, to await, to stream or to cancel."""

import asyncio
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from anyio import BrokenResourceError, ClosedResourceError, EndOfStream, create_memory_object_stream

from sre_core.errors import AgentError
from sre_core.events import Emit, Event, RunFinished, TextDelta, discard

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream

    from sre_core.agents.reply import Reply

__all__ = ["EventStream", "Events", "Run"]

T = TypeVar("T")


class Run(Coroutine[Any, Any, "Reply[T]"], Generic[T]):
    """One prompt. Nothing happens until it is awaited or streamed, and it happens once.

    `await run` gives the Reply; awaiting again gives the same Reply, or raises the same error. It works like an
    `asyncio.Task`: cancelling whoever awaits it cancels the run, and awaiting a run that was cancelled raises
    `asyncio.CancelledError`. A run belongs to one event loop. It is a coroutine too, so `asyncio.run` and
    `create_task` take it as it is.
    """

    __slots__ = ("__weakref__", "_answer", "_cancelled", "_reader", "_receive", "_task", "_waiting", "prompt")

    def __init__(self, text: str, answer: "Callable[[Emit], Coroutine[Any, Any, Reply[T]]]") -> None:
        """`answer` does the work and reports its events."""
        self.prompt = text
        self._answer = answer
        self._cancelled = False
        self._waiting: dict[asyncio.Task[Any] | None, Coroutine[Any, Any, Reply[T]]] = {}
        self._task: asyncio.Task[Reply[T]] | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._receive: MemoryObjectReceiveStream[Event] | None = None

    def __repr__(self) -> str:
        """Shows the beginning of the prompt and how far the run is."""
        state = "new" if self._task is None else "finished" if self._task.done() else "running"
        return f"<Run {self.prompt[:40]!r} {state}>"

    def __await__(self) -> "Generator[Any, None, Reply[T]]":
        """Run to the end. Raises AgentError, ConnectorError, AccessDeniedError, ConfigError."""
        return self._wait().__await__()

    def send(self, value: Any, /) -> Any:
        """Go on as a coroutine does; for asyncio, which drives the run when it is made a task."""
        return self._go_on(lambda waiting: waiting.send(value))

    def throw(self, kind: Any, value: Any = None, trace: TracebackType | None = None, /) -> Any:
        """Raise in the waiting, as a coroutine does; a cancellation cancels the run."""
        error = kind if value is None else value
        return self._go_on(lambda waiting: waiting.throw(error if trace is None else error.with_traceback(trace)))

    def close(self) -> None:
        """Give the run up; a run that has not begun never will."""
        while self._waiting:
            self._waiting.popitem()[1].close()
        self.cancel()

    def stream(self) -> "EventStream":
        """The events of this run: `async with run.stream() as events: async for event in events: ...`.

        The run waits until each event is taken. What makes the run fail is raised by the iteration. Leaving the
        block before the last event cancels the run and waits until it has ended. Raises AgentError when the
        run has begun already.
        """
        return EventStream(self)

    async def text(self) -> AsyncGenerator[str]:
        """The text of the reply, piece by piece; use `contextlib.aclosing` if you may stop before its end."""
        async with self.stream() as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    yield event.text

    def cancel(self) -> None:
        """Stop the run, also before it begins; the model and the skills are cancelled. Harmless when it ended."""
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    def __del__(self) -> None:
        """Warn when the prompt went nowhere, as Python does for a coroutine."""
        if self._task is None and not self._cancelled:
            warnings.warn(f"the prompt {self.prompt[:40]!r} was never awaited", RuntimeWarning, stacklevel=2)

    def _go_on(self, step: "Callable[[Coroutine[Any, Any, Reply[T]]], Any]") -> Any:
        """Take a step for the current task; unlike a plain coroutine, a run can be waited for by several."""
        task = asyncio.current_task()
        if task not in self._waiting:
            self._waiting[task] = self._wait()
        try:
            return step(self._waiting[task])
        except BaseException:
            self._waiting.pop(task, None)
            raise

    async def _wait(self) -> "Reply[T]":
        task = self._task or self._begin(discard)
        if self._receive is not None and self._reader is asyncio.current_task():
            # Whoever reads the events cannot read them while it waits here.
            self._receive.close()
        return await task

    def _begin(self, emit: Emit) -> "asyncio.Task[Reply[T]]":
        self._task = asyncio.get_running_loop().create_task(self._answer(emit))
        if self._cancelled:
            self._task.cancel()
        return self._task

    def _open(self) -> "Events":
        """Begin, with the events going into a stream without a buffer."""
        if self._task is not None:
            raise AgentError("this run has begun already", hint="prompt again to get a new run")
        send, receive = create_memory_object_stream[Event](0)

        async def emit(event: Event) -> None:
            # The reader may leave while the run still has something to say, and what a skill left running
            # says something when the run has ended.
            with suppress(BrokenResourceError, ClosedResourceError):
                await send.send(event)

        task = self._begin(emit)
        task.add_done_callback(lambda _: send.close())
        self._reader, self._receive = asyncio.current_task(), receive
        return Events(task, receive)


class Events(AsyncIterator[Event]):
    """The events of a run, one at a time; what made the run fail is raised at the end."""

    __slots__ = ("_receive", "_task", "answered")

    def __init__(self, task: "asyncio.Task[Reply]", receive: "MemoryObjectReceiveStream[Event]") -> None:
        self._task = task
        self._receive = receive
        self.answered = False

    async def __anext__(self) -> Event:
        """Let the run go on to its next event, and return that."""
        try:
            event = await self._receive.receive()
        except (EndOfStream, ClosedResourceError):
            await self._task
            raise StopAsyncIteration from None
        self.answered = self.answered or isinstance(event, RunFinished)
        return event

    def close(self) -> None:
        """Take no more events."""
        self._receive.close()

    async def leave(self) -> None:
        """Cancel the run unless it has answered, and wait until it has ended."""
        self.close()
        if not self.answered:
            self._task.cancel()
        await asyncio.wait([self._task])
        if not self._task.cancelled():
            # Who leaves early does not ask how it ended; `await run` still tells.
            self._task.exception()


class EventStream:
    """An `async with` block around the events of a run."""

    __slots__ = ("_events", "_run")

    def __init__(self, run: Run[Any]) -> None:
        self._run = run

    async def __aenter__(self) -> Events:
        """Begin the run."""
        self._events = self._run._open()  # noqa: SLF001 -- the other half of Run
        return self._events

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the events, which ends the run."""
        await self._events.leave()
