"""Several calls at once, as one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

__all__ = ["together"]

T = TypeVar("T")


async def together(calls: Iterable[Callable[[], Awaitable[T]]], *, at_once: int) -> list[T]:
    """The results of several calls, in their order, of which so many run at once.

    The first error ends all, and so does cancellation: none of them goes on.
    """
    slots = asyncio.Semaphore(at_once)

    async def one(call: Callable[[], Awaitable[T]]) -> T:
        async with slots:
            return await call()

    # Not a task group, which would wrap the error in an ExceptionGroup.
    tasks = [asyncio.create_task(one(call)) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
