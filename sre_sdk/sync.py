"""The same agents without async: for scripts, notebooks and code inside somebody else's event loop."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, overload

from sre_core.access.candidate import Candidate
from sre_core.agents.limits import Limits
from sre_core.agents.reply import Reply
from sre_core.components.compat import Compat
from sre_core.errors import ConfigError
from sre_core.events import Emit, Event
from sre_core.messages import File
from sre_core.skills import Skill
from sre_core.steps import Steps
from sre_core.workflows.graph import Workflow
from sre_core.workflows.limits import WorkflowLimits
from sre_core.workflows.outcome import Outcome
from sre_core.workflows.step import Gate
from sre_sdk import agent as asynchronous
from sre_sdk.building import Part
from sre_sdk.model import Model
from sre_sdk.sync_chat import Chat, wait_for
from sre_sdk.sync_debug import Debugger
from sre_sdk.sync_runtime import SyncRuntime

__all__ = ["Agent", "Chat", "Debugger", "SyncRuntime"]

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

    @classmethod
    def load(
        cls,
        source: str | Path | Mapping[str, Any],
        *,
        model: str | Model | None = None,
        models: Mapping[str, str] | None = None,
        name: str | None = None,
        behavior: str | None = None,
        id: str | None = None,  # noqa: A002
        team: str | None = None,
        skills: Sequence[Skill | Callable[..., Any] | str] = (),
        agents: Sequence[asynchronous.Agent | str | Path] = (),
        limits: Limits = Limits(),  # noqa: B008
        workflow_limits: WorkflowLimits | None = None,
        compat: Compat | None = None,
        runtime: SyncRuntime | None = None,
    ) -> Self:
        """An agent from a `.smyth` file; see `sre_sdk.Agent.load`."""
        face = cls.__new__(cls)
        agent = asynchronous.Agent.load(
            source,
            model=model,
            models=models,
            name=name,
            behavior=behavior,
            id=id,
            team=team,
            skills=skills,
            agents=agents,
            limits=limits,
            workflow_limits=workflow_limits,
            compat=compat,
        )
        face._begin(agent, runtime)  # noqa: SLF001 -- a second constructor
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

    def execute(
        self,
        endpoint: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        caller: Candidate | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes = b"",
        session: str = "",
        emit: Emit | None = None,
        steps: Steps | None = None,
        gate: Gate | None = None,
    ) -> Outcome:
        """Run an endpoint of the workflow, and return all that came of it; see `sre_sdk.Agent.execute`."""
        with self.attached() as runtime:
            return runtime.call(
                self.agent.execute,
                endpoint,
                arguments,
                caller=caller,
                headers=headers,
                raw=raw,
                session=session,
                emit=emit,
                steps=steps,
                gate=gate,
            )

    def debug(self, endpoint: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> Debugger:
        """Run an endpoint step by step: `with agent.debug("skill", {…}) as session: session.step()`.

        See `sre_sdk.Agent.debug`.
        """
        return Debugger(self, self.agent.debug(endpoint, arguments, **options))

    def endpoint(
        self,
        name: str,
        *,
        description: str = "",
        method: Literal["POST", "GET"] = "POST",
        inputs: Mapping[str, Any] | None = None,
        exposed: bool = True,
        **settings: Any,
    ) -> Part:
        """Begin a workflow, or add to it; see `sre_sdk.Agent.endpoint`."""
        return self.agent.endpoint(
            name, description=description, method=method, inputs=inputs, exposed=exposed, **settings
        )

    def save(self, path: str | Path) -> None:
        """Write the workflow as a `.smyth` file; see `sre_sdk.Agent.save`."""
        self.agent.save(path)

    @property
    def workflow(self) -> Workflow | None:
        """The graph that the agent was loaded with, or that was built for it."""
        return self.agent.workflow

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
            return runtime.call(wait_for, run)

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

    def chat(self, id: str | None = None) -> Chat:  # noqa: A002
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
