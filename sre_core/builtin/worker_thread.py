"""Blocking work in a thread, which a caller that is cancelled waits for."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar, TypeVarTuple

import anyio
from anyio import to_thread

__all__ = ["in_thread"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


async def in_thread(function: Callable[[*Ts], T], *arguments: *Ts) -> T:
    """Run in a worker thread; a caller that is cancelled waits for it.

    So nothing is written after a cancelled call has returned, nothing is closed while a thread uses it, and what
    only one thread may use at a time is not handed to the next. `to_thread` alone does so for anyio's
    cancellation, not for asyncio's.
    """
    work = asyncio.create_task(to_thread.run_sync(function, *arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        # Both kinds of cancellation come here: the shield keeps off anyio's, the loop asyncio's.
        with anyio.CancelScope(shield=True):
            while not work.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({work})
        # Its failure matters to nobody now, but must be seen once.
        work.exception()
        raise
