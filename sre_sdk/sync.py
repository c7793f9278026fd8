"""The same agents without async: for scripts, notebooks and code inside somebody else's event loop."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, overload

from sre_core.agents.limits import Limits
from sre_core.agents.reply import Reply
from sre_core.errors import ConfigError
from sre_core.events import Event
from sre_core.messages import File, Message
from sre_core.skills import Skill
from sre_sdk import agent as asynchronous
from sre_sdk.chat import Chat as AsyncChat
from sre_sdk.model import Model
from sre_sdk.run import Run
from sre_sdk.sync_runtime import SyncRuntime

__all__ = ["Agent", "Chat", "SyncRuntime"]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Agent:
    """An agent whose methods wait. It has the parameters of `sre_sdk.Agent`, except that its runtime is a SyncRuntime.

    Without a runtime each call opens one from `sre.toml` and closes it; `with agent:` keeps one open.
    """

    __slots__ = ("_opened", "_runtime", "agent")

    def __init__(
        self,
        name: str,
        *,
        behavior: str = "",
        model: str | Model | None = None,
        id: str | None = None,  # noqa: A002 -- the plain word
        team: str = "default",
        skills: Sequence[Skill | Callable[..., Any] | str] = (),
        limits: Limits = Limits(),  # noqa: B008 -- a frozen value
        runtime: SyncRuntime | None = None,
    ) -> None:
        """See `sre_sdk.Agent`."""
        self._begin(
            asynchronous.Agent(name, behavior=behavior, model=model, id=id, team=team, skills=skills, limits=limits),
            runtime,
        )

    @classmethod
    def of(cls, agent: asynchronous.Agent) -> Self:
        """The sync face of an agent; both share all that it has."""
        face = cls.__new__(cls)
        face._begin(agent, None)  # noqa: SLF001 -- a second constructor
        return face

    def _begin(self, agent: asynchronous.Agent, runtime: SyncRuntime | None) -> None:
        self.agent = agent
        self._runtime = runtime
        self._opened: SyncRuntime | None = None

    def __repr__(self) -> str:
        """Shows name and id."""
        return f"<sync {self.agent!r}>"

    def __enter__(self) -> Self:
        """Open a runtime from `sre.toml` and keep it for the block; with a runtime of its own, do nothing."""
        if self._opened is not None:
            raise ConfigError(f"{self!r} is open already", hint="leave the first `with` block before")
        if self._runtime is None:
            self._opened = SyncRuntime().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what `__enter__` opened."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.__exit__(kind, error, trace)

    @property
    def name(self) -> str:
        """The name."""
        return self.agent.name

    @property
    def id(self) -> str:
        """The id."""
        return self.agent.id

    @property
    def skills(self) -> Mapping[str, Skill]:
        """The skills by name."""
        return self.agent.skills

    @overload
    def skill(self, function: F, /) -> F: ...

    @overload
    def skill(
        self,
        function: None = None,
        /,
        *,
        name: str | None = None,
        description: str | None = None,
        timeout: float | None = None,
    ) -> Callable[[F], F]: ...

    def skill(
        self,
        function: F | None = None,
        /,
        *,
        name: str | None = None,
        description: str | None = None,
        timeout: float | None = None,
    ) -> F | Callable[[F], F]:
        """Decorate a function to make it a skill; see `sre_sdk.Agent.skill`."""
        add = self.agent.skill(name=name, description=description, timeout=timeout)
        return add if function is None else add(function)

    def add_skill(self, skill: Skill | Callable[..., Any] | str) -> None:
        """Add a skill; see `sre_sdk.Agent.add_skill`."""
        self.agent.add_skill(skill)

    def remove_skill(self, name: str) -> None:
        """Take a skill away. Raises SkillError if there is none of that name."""
        self.agent.remove_skill(name)

    def call(self, name: str, /, **arguments: Any) -> Any:
        """Call a skill without the model; see `sre_sdk.Agent.call`."""
        with self.attached() as runtime:
            return runtime.call(self.agent.call, name, **arguments)

    @overload
    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Reply[None]: ...

    @overload
    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[T],
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Reply[T]: ...

    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[Any] | None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Reply[Any]:
        """Ask, and wait for the Reply; see `sre_sdk.Agent.prompt`. Ctrl-C cancels the run."""
        with self.attached() as runtime:
            run = self.agent.prompt(
                text, files=files, output_type=output_type, model=model, limits=limits, timeout=timeout
            )
            return runtime.call(_reply, run)

    def stream(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[Any] | None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Generator[Event]:
        """Ask, and iterate over the events. Leaving the loop, or closing the generator, cancels the run."""
        with self.attached() as runtime:
            yield from runtime.iterate(
                self.agent.prompt(
                    text, files=files, output_type=output_type, model=model, limits=limits, timeout=timeout
                )
            )

    def chat(self, id: str | None = None) -> "Chat":  # noqa: A002
        """A conversation; see `sre_sdk.Agent.chat`."""
        return Chat(self, self.agent.chat(id))

    def chats(self) -> list[str]:
        """The ids of the chats that are kept in the agent's storage, in order."""
        with self.attached() as runtime:
            return runtime.call(self.agent.chats)

    @contextmanager
    def attached(self) -> Generator[SyncRuntime]:
        """The runtime to work in, opened for this block if there is none."""
        if self.agent.is_attached:
            raise ConfigError(
                f"agent {self.id!r} works in an async runtime",
                hint="await agent.prompt(...), or make a sre_sdk.sync.Agent",
            )
        runtime = self._runtime or self._opened
        if runtime is not None:
            yield runtime
        else:
            with SyncRuntime() as opened:
                yield opened


class Chat:
    """A chat whose methods wait; made by `Agent.chat`."""

    __slots__ = ("_agent", "_chat")

    def __init__(self, agent: Agent, chat: AsyncChat) -> None:
        self._agent = agent
        self._chat = chat

    @property
    def id(self) -> str:
        """The id."""
        return self._chat.id

    @overload
    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Reply[None]: ...

    @overload
    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[T],
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Reply[T]: ...

    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[Any] | None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Reply[Any]:
        """Go on with the conversation, and wait for the Reply. Ctrl-C cancels the run."""
        with self._agent.attached() as runtime:
            run = self._chat.prompt(
                text, files=files, output_type=output_type, model=model, limits=limits, timeout=timeout
            )
            return runtime.call(_reply, run)

    def stream(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[Any] | None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Generator[Event]:
        """Go on with the conversation, and iterate over the events."""
        with self._agent.attached() as runtime:
            yield from runtime.iterate(
                self._chat.prompt(
                    text, files=files, output_type=output_type, model=model, limits=limits, timeout=timeout
                )
            )

    def messages(self) -> tuple[Message, ...]:
        """What was said so far."""
        with self._agent.attached() as runtime:
            return runtime.call(self._chat.messages)

    def clear(self) -> None:
        """Forget what was said; the chat itself stays."""
        with self._agent.attached() as runtime:
            runtime.call(self._chat.clear)

    def fork(self, id: str | None = None, *, at: int | None = None) -> "Chat":  # noqa: A002
        """A new chat that begins with the same messages; see `sre_sdk.Chat.fork`."""
        with self._agent.attached() as runtime:
            return Chat(self._agent, runtime.call(self._chat.fork, id, at=at))

    def delete(self) -> None:
        """Remove what is stored of the chat."""
        with self._agent.attached() as runtime:
            runtime.call(self._chat.delete)


async def _reply(run: Run[Any]) -> Reply:
    return await run
