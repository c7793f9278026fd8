"""The two ends of a copy: connectors as the kernel uses them, unguarded, with deadlines and patience."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

import anyio

from sre_core import logs
from sre_core.access.resource import Resource
from sre_core.connectors.operation import Operation, stream
from sre_core.connectors.slot import Slot
from sre_core.errors import (
    ConnectorError,
    DeadlineError,
    RateLimitedError,
    SREError,
    UnauthenticatedError,
    UnavailableError,
)

__all__ = ["End", "Sleep", "is_fatal", "patiently", "spread"]

log = logs.get_logger(__name__)

T = TypeVar("T")
Sleep = Callable[[float], Awaitable[None]]

_TRIES = 5
_LONGEST_PAUSE = 30.0


class End:
    """One side of a copy. It starts its connector with the first call."""

    def __init__(self, slot: Slot, *, timeout: float | None = None) -> None:
        """`timeout` bounds each call, in seconds; of a stream, each item."""
        self._slot = slot
        self._timeout = timeout

    def __repr__(self) -> str:
        """Names it as people do."""
        return f"{self._slot.service}:{self._slot.id}"

    @property
    def id(self) -> str:
        """The id of its connector."""
        return self._slot.id

    @property
    def connector(self) -> str:
        """The name of its connector."""
        return self._slot.name

    @property
    def root(self) -> Resource:
        """What resources of this end begin with: the service, of another connector than the default one with its id."""
        service = self._slot.service
        return Resource((service if self._slot.id == "default" else f"{service}@{self._slot.id}",))

    async def start(self) -> None:
        """Start the connector, unless it runs: only then it is known what it can do. Raises ConnectorError."""
        if not self._slot.started:
            await self._slot.start()

    def can(self, capability: str) -> bool:
        """Whether its connector declares a capability."""
        return capability in self._slot.capabilities

    async def call(self, name: str, use: Callable[[Any], Awaitable[T]]) -> T:
        """One call of the connector. Raises ConnectorError."""
        async with Operation(name, self._slot, timeout=self._timeout):
            return await use(self._slot.connector)

    async def feed(
        self, name: str, chunks: AsyncIterable[T], use: Callable[[Any, AsyncIterable[T]], Awaitable[Any]]
    ) -> None:
        """One call that reads `chunks`, whose maker may take its time. Raises ConnectorError, and what that raises."""
        async with (
            Operation(name, self._slot, timeout=self._timeout) as operation,
            aclosing(operation.paced(chunks)) as paced,
        ):
            await use(self._slot.connector, paced)

    def stream(self, name: str, use: Callable[[Any], AsyncGenerator[T]]) -> AsyncGenerator[T]:
        """What a generator of the connector gives; use it inside `contextlib.aclosing`. Raises ConnectorError."""
        return stream(Operation(name, self._slot, timeout=self._timeout), lambda: use(self._slot.connector))


async def is_fatal(error: SREError, *ends: End) -> bool:
    """Whether nothing else can be copied after this either: an end is gone, or lets nobody in.

    What took too long may only have been large: then the ends are asked for a sign of life.
    """
    if isinstance(error, DeadlineError):
        try:
            for end in ends:
                await end.call("ping", lambda connector: connector.ping())
        except ConnectorError:
            return True
    return isinstance(error, UnavailableError | RateLimitedError | UnauthenticatedError)


async def patiently(work: Callable[[], Awaitable[T]], *, sleep: Sleep = anyio.sleep) -> T:
    """Do `work`, and again after a pause when it fails with what may pass. Raises ConnectorError in the end."""
    for number in range(1, _TRIES):
        try:
            return await work()
        except ConnectorError as error:
            if not error.retryable:
                raise
            advice = getattr(error, "retry_after", None)
            pause = min(0.5 * 2**number if advice is None else float(advice), _LONGEST_PAUSE)
            log.info("copy_retried", attempt=number, error=error.code, pause=pause)
            await sleep(pause)
    return await work()


async def spread(items: AsyncGenerator[T], work: Callable[[T], Awaitable[None]], *, jobs: int) -> None:
    """Do `work` for each item, `jobs` of them at once; the first that raises ends all, and is raised."""
    running: set[asyncio.Task[None]] = set()

    async def do(item: T) -> None:
        await work(item)

    try:
        async with aclosing(items):
            async for item in items:
                if len(running) >= jobs:
                    running = await _some(running)
                running.add(asyncio.create_task(do(item)))
        while running:
            running = await _some(running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _some(running: "set[asyncio.Task[None]]") -> "set[asyncio.Task[None]]":
    """Wait until one is done; those that are not. Raises what one that is done has raised."""
    done, left = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return left
