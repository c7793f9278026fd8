"""What agents and teams have in common: an id, a runtime to work in, and handles on their resources."""

from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sre_core.access.candidate import Candidate
from sre_core.errors import ConfigError

if TYPE_CHECKING:
    from sre_core.connectors.cache import Cache
    from sre_core.connectors.llm import LLM
    from sre_core.connectors.storage import Storage
    from sre_core.connectors.vault import Vault
    from sre_core.connectors.vectors import Vectors
    from sre_core.runtime import Runtime

__all__ = ["Owner", "working_in"]

# What runs inside a run, the skills above all, works in that run's runtime unless it has one of its own.
_current: ContextVar["Runtime | None"] = ContextVar("sre_current_runtime", default=None)


class Owner:
    """Somebody with a home in every service.

    It works in the runtime that it was given; else in the one that `async with` opened for it; else, inside a
    run, in the runtime of that run; else each call opens one from `sre.toml` and closes it again.
    """

    __slots__ = ("__weakref__", "_opened", "_runtime", "candidate")

    def __init__(self, candidate: Candidate, runtime: "Runtime | None") -> None:
        self.candidate = candidate
        self._runtime = runtime
        self._opened: Runtime | None = None

    @property
    def id(self) -> str:
        """The id, which names the home."""
        return self.candidate.id

    @property
    def runtime(self) -> "Runtime":
        """The runtime that this works in. Raises ConfigError when there is none."""
        found = self._runtime or _current.get()
        if found is None:
            what = self.candidate.role.value
            raise ConfigError(
                f"{self._name()} has no open runtime",
                hint=f"use it inside `async with {what}:`, or give it one: "
                f"`async with Runtime() as runtime: {what.capitalize()}(..., runtime=runtime)`",
            )
        return self._enter(found)

    @property
    def storage(self) -> "Storage":
        """Objects in its home. Raises ConfigError without a runtime."""
        return self.runtime.storage(self.candidate)

    @property
    def cache(self) -> "Cache":
        """Values with a time to live, in its home. Raises ConfigError without a runtime."""
        return self.runtime.cache(self.candidate)

    @property
    def vectors(self) -> "Vectors":
        """Vector collections in its home. Raises ConfigError without a runtime."""
        return self.runtime.vectors(self.candidate)

    @property
    def vault(self) -> "Vault":
        """The secrets that it was granted. Raises ConfigError without a runtime."""
        return self.runtime.vault(self.candidate)

    @property
    def llm(self) -> "LLM":
        """The models of the default connector. Raises ConfigError without a runtime."""
        return self.runtime.llm(self.candidate)

    async def __aenter__(self) -> Self:
        """Open a runtime from `sre.toml` and keep it for the block; with a runtime of its own, do nothing."""
        if self._opened is not None:
            raise ConfigError(f"{self._name()} is open already", hint="leave the first `async with` block before")
        if self._runtime is None:
            self._opened = _new_runtime()
            try:
                self._runtime = await self._opened.__aenter__()
            except BaseException:
                self._opened = None
                raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what `__aenter__` opened."""
        if self._opened is not None:
            opened, self._opened, self._runtime = self._opened, None, None
            await opened.__aexit__(kind, error, trace)

    def attached(self) -> "AbstractAsyncContextManager[Runtime]":
        """The runtime to work in, also for what is called inside this block; opened for it if there is none."""
        found = self._runtime or _current.get()
        return self._opened_for_a_call() if found is None else _Attached(self._enter(found))

    @asynccontextmanager
    async def _opened_for_a_call(self) -> "AsyncGenerator[Runtime]":
        async with _new_runtime() as opened:
            with working_in(self._enter(opened)):
                yield opened

    @property
    def is_attached(self) -> bool:
        """Whether it has a runtime of its own now."""
        return self._runtime is not None

    def _enter(self, runtime: "Runtime") -> "Runtime":
        """What to do before working in `runtime`."""
        return runtime

    def _name(self) -> str:
        return f"{self.candidate.role.value} {self.id!r}"


def _new_runtime() -> "Runtime":
    # Loading the kernel takes longer than constructing an agent should.
    from sre_core.runtime import Runtime

    return Runtime()


class _Attached:
    """`working_in` as an async context. A class, since every prompt needs one."""

    __slots__ = ("_runtime", "_token")

    def __init__(self, runtime: "Runtime") -> None:
        self._runtime = runtime

    async def __aenter__(self) -> "Runtime":
        self._token = _current.set(self._runtime)
        return self._runtime

    async def __aexit__(self, *_: object) -> None:
        _current.reset(self._token)


@contextmanager
def working_in(runtime: "Runtime") -> Generator[None]:
    """What is called inside this block works in `runtime`, unless it has a runtime of its own."""
    token = _current.set(runtime)
    try:
        yield
    finally:
        _current.reset(token)
