"""The seam for durability: everything that touches the outside world runs as a named step."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

__all__ = ["DirectSteps", "Steps"]

T = TypeVar("T")


class Steps(Protocol):
    """Runs steps. A durable implementation records each result under its key.

    After a crash it returns the recorded result without running `fn` again, so callers must be deterministic
    given the results: no clock, no random numbers outside a step, and the same keys in the same order.
    """

    async def run(self, key: str, fn: Callable[[], Awaitable[T]]) -> T:
        """Run `fn` under `key`, which is unique within one run."""
        ...


class DirectSteps:
    """Runs every step, remembers nothing."""

    async def run(self, key: str, fn: Callable[[], Awaitable[T]]) -> T:
        """Await `fn`."""
        return await fn()
