"""Running several things at once, so that the first failure ends all, and comes out as it is."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

__all__ = ["cancel", "for_each", "gather"]

T = TypeVar("T")


async def for_each(items: Sequence[T], work: Callable[[T], Awaitable[None]], *, parallel: int) -> None:
    """Run `work` on each item, at most `parallel` at once; items are taken in order, when there is a place for them."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    await gather([worker() for _ in range(min(parallel, len(items)))])


async def gather(works: Sequence[Awaitable[Any]]) -> None:
    """Await all. When one raises, or the caller is cancelled, the others are cancelled and awaited first."""
    # Neither a TaskGroup, which wraps what is raised, nor asyncio.gather, which leaves the others running.
    tasks = [asyncio.ensure_future(work) for work in works]
    if not tasks:
        return
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await cancel(tasks)
    # In the order of the works, so that of several failures always the same one comes out.
    for task in tasks:
        if not task.cancelled():
            task.result()
    # None failed, so a task that is cancelled was so by its own work; that must not pass for an end.
    for task in tasks:
        task.result()


async def cancel(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel what goes on, and wait until it has ended; what it raises is of no interest to anybody any more."""
    unfinished = [task for task in tasks if not task.done()]
    for task in unfinished:
        task.cancel()
    if unfinished:
        await asyncio.wait(unfinished)
    for task in tasks:
        if not task.cancelled():
            task.exception()
