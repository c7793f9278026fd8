"""Waiting until something is so that Pinecone has promised, and that shows later."""

import asyncio
from collections.abc import Awaitable, Callable

from sre_core.errors import DeadlineError

__all__ = ["until"]

_FIRST_WAIT = 0.02
_LONGEST_WAIT = 0.5


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float, what: str, hint: str) -> None:
    """Return once `holds` says yes. Raises DeadlineError, "`what` within … s", when it does not in time."""
    loop = asyncio.get_running_loop()
    deadline, wait = loop.time() + seconds, _FIRST_WAIT
    while not await holds():
        if loop.time() + wait > deadline:
            raise DeadlineError(f"{what} within {seconds:g} s", hint=hint)
        await asyncio.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)
