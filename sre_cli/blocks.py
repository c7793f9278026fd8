"""`async with` for commands that read lines from the terminal between the parts of their work."""

import asyncio
import sys
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TypeVar

__all__ = ["opened"]

T = TypeVar("T")


@contextmanager
def opened(runner: asyncio.Runner, block: AbstractAsyncContextManager[T, Any]) -> Generator[T]:
    """Keep `block` open on the runner's loop. The loop stands still in between, since input() needs the main thread:
    in another one, Ctrl-C would wait for the end of the line.
    """

    async def enter() -> T:
        return await block.__aenter__()

    async def leave(*how: Any) -> None:
        await block.__aexit__(*how)

    value = runner.run(enter())
    try:
        yield value
    except BaseException:
        runner.run(leave(*sys.exc_info()))
        raise
    runner.run(leave(None, None, None))
