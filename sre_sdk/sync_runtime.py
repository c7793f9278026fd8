"""SyncRuntime: a Runtime in a thread of its own, for callers without async."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from sre_core.errors import ConfigError
from sre_core.events import Event
from sre_core.runtime import Runtime
from sre_sdk.owner import working_in
from sre_sdk.run import Run

if TYPE_CHECKING:
    from sre_core.config import Config
    from sre_core.plugins import Plugins

__all__ = ["SyncRuntime"]

P = ParamSpec("P")
T = TypeVar("T")


class SyncRuntime:
    """A Runtime in a thread of its own, with one event loop, for as long as its `with` block lasts.

    Everything that several calls share, such as open connections and loaded models, lives on that loop. Several
    threads may use it at once.
    """

    def __init__(self, config: "Config | None" = None, *, plugins: "Plugins | None" = None) -> None:
        """Takes what Runtime takes; starts nothing."""
        self._config = config
        self._plugins = plugins
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._runtime: Runtime | None = None

    def __enter__(self) -> Self:
        """Start the thread and open the runtime."""
        if self._portal is not None:
            raise ConfigError("this SyncRuntime is open already", hint="make another one, or share the open one")
        with ExitStack() as stack:
            portal = stack.enter_context(start_blocking_portal("asyncio", name="sre-runtime"))
            runtime = Runtime(self._config, plugins=self._plugins)
            self._runtime = stack.enter_context(portal.wrap_async_context_manager(runtime))
            self._portal = portal
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the runtime and end the thread."""
        self._portal = None
        self._runtime = None
        self._stack.__exit__(kind, error, trace)

    @property
    def is_open(self) -> bool:
        """Whether this is inside its `with` block."""
        return self._portal is not None

    @property
    def runtime(self) -> Runtime:
        """The Runtime itself; its async methods are for `call`. Raises ConfigError outside the `with` block."""
        return self._open()[1]

    def call(self, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an async function on the runtime's loop and wait: `runtime.call(storage.read, "notes.txt")`.

        Ctrl-C cancels the function and waits until it has ended. Raises what the function raises, ConfigError
        outside the `with` block, RuntimeError when called on the runtime's own loop, where it would wait for
        itself.
        """
        portal, runtime = self._open()
        tasks: list[asyncio.Task[T]] = []

        async def run() -> T:
            with working_in(runtime):
                return await function(*args, **kwargs)

        async def work() -> None:
            tasks.append(asyncio.create_task(run()))
            try:
                await asyncio.wait(tasks)
            finally:
                tasks[0].cancel()

        async def stop() -> None:
            # Ctrl-C may come before the work was handed over; if it was, it has begun before this.
            for task in tasks:
                task.cancel()
                await asyncio.wait([task])

        try:
            portal.call(work)
        except KeyboardInterrupt:
            portal.call(stop)
            raise
        return tasks[0].result()

    def iterate(self, run: Run[Any]) -> Generator[Event]:
        """The events of a run as a plain iterator; closing it early cancels the run."""
        events = self.call(run.stream().__aenter__)
        try:
            while (event := self.call(_next, events)) is not None:
                yield event
        finally:
            if self.is_open:
                self.call(events.leave)
            else:
                # The generator outlived the runtime, which has ended the run.
                events.close()

    def _open(self) -> tuple[BlockingPortal, Runtime]:
        if self._portal is None or self._runtime is None:
            raise ConfigError("this SyncRuntime is not open", hint="use it inside `with SyncRuntime() as runtime:`")
        return self._portal, self._runtime


async def _next(events: Any) -> Event | None:
    found: Event | None = await anext(events, None)
    return found
