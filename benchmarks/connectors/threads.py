"""Clients that block, as an asynchronous program has to use them: each call in a thread of a pool."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks.connectors.contest import AT_ONCE, Operation

__all__ = ["threaded"]


@contextmanager
def threaded() -> Iterator[Callable[[Callable[[int], object]], Operation]]:
    """What makes an operation of a function that blocks; as many threads as there are operations at once."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="blocking") as pool:

        def operation(work: Callable[[int], object]) -> Operation:
            def begin(number: int) -> asyncio.Future[object]:
                return asyncio.get_running_loop().run_in_executor(pool, work, number)

            return begin

        yield operation
