"""Agent: a name, a behavior, a model and skills; what user code talks to."""

import asyncio
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, overload
from weakref import WeakValueDictionary

from sre_core.access.candidate import Candidate
from sre_core.agents.limits import Limits
from sre_core.errors import ConfigError, SkillError, SREError
from sre_core.messages import File
from sre_core.skills import Skill
from sre_sdk.flow_owner import FlowOwner
from sre_sdk.given import check_type, several
from sre_sdk.model import Model
from sre_sdk.prompt import Prompt, answer_once, make_context
from sre_sdk.run import Run

if TYPE_CHECKING:
    from sre_core.agents.reply import Reply
    from sre_core.components.compat import Compat
    from sre_core.connectors.llm import LLM
    from sre_core.runtime import Runtime
    from sre_core.workflows.limits import WorkflowLimits
    from sre_sdk import sync
    from sre_sdk.chat import Chat

__all__ = ["Agent"]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


class Agent(FlowOwner):
    """Answers prompts with a model and calls skills, as the candidate `agent:<id>`.

    Constructing one starts nothing. The same id means the same home: its storage, chats and secrets are found
    again by the next process. Without a runtime each prompt opens one from `sre.toml` and closes it; `async
    with agent:` keeps one open, and `runtime` shares one among agents.
    """

    __slots__ = ("_locks", "_named", "_skills", "behavior", "limits", "model", "name", "team")

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
        runtime: "Runtime | None" = None,
    ) -> None:
        """`behavior` is the system prompt. `id` is by default made of the name: "My Bot" becomes "my-bot".

        Raises ConfigError on an illegal name, id, team, model or limits, SkillError on a skill that cannot be
        described.
        """
        check_type("the name of an agent", name, str)
        check_type("model", model, str, Model, type(None))
        check_type("limits", limits, Limits)
        super().__init__(Candidate.agent(_slug(name) if id is None else id), runtime)
        self.name = name
        self.behavior = behavior
        self.model = model
        self.team = Candidate.team(team).id
        self.limits = limits
        self._skills: dict[str, Skill] = {}
        self._named: tuple[str, ...] = ()
        self._locks: WeakValueDictionary[str, asyncio.Lock] | None = None
        for skill in several("skills", skills):
            self.add_skill(skill)

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
        agents: Sequence["Agent | str | Path"] = (),
        limits: Limits = Limits(),  # noqa: B008
        workflow_limits: "WorkflowLimits | None" = None,
        compat: "Compat | None" = None,
        runtime: "Runtime | None" = None,
    ) -> "Agent":
        """An agent from a `.smyth` file, or from what such a file holds, text or data: its endpoints are skills.

        What is given here takes the place of what the file says. `models` replaces models that the file names, for
        itself or in its nodes, as in `{"gpt-4o": "smollm3"}`; under "*" stands what replaces all. Agents that it uses
        are looked for in `agents`, which may be files too, then in the file's folder. `compat` brings back faults of
        SmythOS. Raises ConfigError, InvalidWorkflowError with all that is wrong with the file.
        """
        from sre_sdk.loading import load_agent

        own = {"model": model, "name": name, "behavior": behavior, "id": id, "team": team}
        shared = {"models": models, "limits": limits, "workflow_limits": workflow_limits, "compat": compat}
        return load_agent(cls, source, own=own, shared={**shared, "runtime": runtime}, skills=skills, agents=agents)

    def __repr__(self) -> str:
        """Shows name and id."""
        return f"<Agent {self.name!r} id={self.id!r}>"

    @property
    def skills(self) -> Mapping[str, Skill]:
        """The skills by name, without those that plugins will add."""
        self._renew(self._skills)
        return MappingProxyType(self._skills)

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
        """Decorate a function to make it a skill: `@agent.skill`, or `@agent.skill(timeout=5)`.

        Name, description and parameters come from the function, its docstring and its type hints. `timeout` is
        in seconds. The function itself stays what it was. Raises SkillError.
        """

        def add(function: F) -> F:
            self.add_skill(Skill.from_function(function, name=name, description=description, timeout=timeout))
            return function

        return add if function is None else add(function)

    def add_skill(self, skill: Skill | Callable[..., Any] | str) -> None:
        """Add a skill, a function as one, or by its name one that a plugin offers.

        Raises SkillError if the name is taken or the function cannot be described; an unknown name is found out
        at the first prompt.
        """
        if isinstance(skill, str):
            self._check_free(skill)
            self._named = (*self._named, skill)
            return
        made = skill if isinstance(skill, Skill) else Skill.from_function(skill)
        self._check_free(made.name)
        self._skills[made.name] = made

    def remove_skill(self, name: str) -> None:
        """Take a skill away. Raises SkillError if there is none of that name.

        An endpoint stays in the workflow, where `execute` finds it.
        """
        if name in self._named:
            self._named = tuple(other for other in self._named if other != name)
        elif name in self._skills:
            del self._skills[name]
        else:
            raise self._unknown(name)

    def skills_in(self, runtime: "Runtime") -> Mapping[str, Skill]:
        """All skills, with those that plugins of `runtime` offer. Raises SkillError if one is not offered."""
        self._renew(self._skills)
        if not self._named:
            return self._skills
        offered = runtime.plugins.skills
        missing = [name for name in self._named if name not in offered]
        if missing:
            raise SkillError(
                f"agent {self.id!r} asks for a skill {missing[0]!r} that no plugin offers",
                hint=f"plugins offer: {', '.join(sorted(offered)) or 'none'}; `sre plugins` shows why one did not load",
            )
        return {**self._skills, **{name: offered[name] for name in self._named}}

    async def call(self, name: str, /, **arguments: Any) -> Any:
        """Call a skill as the model would, without the model, and return its bare value.

        Raises SkillError on an unknown skill, on bad arguments, and when the skill raises.
        """
        async with self.attached() as runtime:
            skill = self.skills_in(runtime).get(name) or self._hidden_skill(name)
            if skill is None:
                raise self._unknown(name)
            try:
                # A skill that asks for no handles works where a connector is missing.
                context = make_context(self, runtime, self.llm) if skill.takes_context else None
                return await skill.call(arguments, context)
            except SREError:
                raise
            except Exception as error:
                # The boundary to a skill's own code.
                raise SkillError(
                    f"skill {name!r} raised {type(error).__name__}: {error}", hint="its cause has the traceback"
                ) from error

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
    ) -> "Run[None]": ...

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
    ) -> "Run[T]": ...

    def prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[Any] | None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> Run[Any]:
        """Ask. `await` the result for the Reply, or `stream()` it.

        `output_type` asks for an answer that pydantic can read as that type, found in `reply.output`. `model`
        and `limits` replace the agent's own for this prompt; `timeout`, in seconds, replaces `limits.seconds`.
        """
        prompt = self.make_prompt(
            text, files=files, output_type=output_type, model=model, limits=limits, timeout=timeout
        )
        return Run(text, partial(answer_once, self, prompt))

    @overload
    def prompt_sync(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> "Reply[None]": ...

    @overload
    def prompt_sync(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[T],
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> "Reply[T]": ...

    def prompt_sync(
        self,
        text: str,
        *,
        files: Sequence[File | Path] = (),
        output_type: type[Any] | None = None,
        model: str | Model | None = None,
        limits: Limits | None = None,
        timeout: float | None = None,
    ) -> "Reply[Any]":
        """`prompt` for scripts and notebooks: waits for the Reply, in a runtime opened for this call.

        Use `with agent.sync as a:` for several prompts. Raises ConfigError if the agent has a runtime.
        """
        return self.sync.prompt(text, files=files, output_type=output_type, model=model, limits=limits, timeout=timeout)

    @property
    def sync(self) -> "sync.Agent":
        """This agent without async: `with agent.sync as a: a.prompt("hi")`."""
        # The sync face needs a thread and the kernel; most agents never use it.
        from sre_sdk import sync

        return sync.Agent.of(self)

    @property
    def llm(self) -> "LLM":
        """The models of the connector that the agent's own model belongs to. Raises ConfigError without a runtime."""
        connector, _ = self.runtime.resolve_model(_model(self.model).name)
        return self.runtime.llm(self.candidate, connector)

    def chat(self, id: str | None = None) -> "Chat":  # noqa: A002
        """A conversation that goes on from prompt to prompt.

        With an id it is kept in the agent's storage and can be resumed by that id, also by another process.
        Without one it gets a new id and lives in memory. Raises ConfigError on an illegal id.
        """
        from sre_core.agents.conversation import Conversation
        from sre_sdk.chat import Chat

        return Chat(self, Conversation(id), self.chat_lock(id), is_stored=id is not None)

    async def chats(self) -> list[str]:
        """The ids of the chats that are kept in the agent's storage, in order."""
        from sre_sdk.chat import stored_chats

        return await stored_chats(self)

    def chat_lock(self, id: str | None) -> asyncio.Lock:  # noqa: A002
        """What the chats of that id wait for; one of its own without an id."""
        if id is None:
            return asyncio.Lock()
        if self._locks is None:
            self._locks = WeakValueDictionary()
        return self._locks.setdefault(id, asyncio.Lock())

    def make_prompt(
        self,
        text: str,
        *,
        files: Sequence[File | Path],
        output_type: type[Any] | None,
        model: str | Model | None,
        limits: Limits | None,
        timeout: float | None,
    ) -> Prompt:
        """A prompt with the agent's own settings where it has none. Raises ConfigError on values of a wrong type."""
        check_type("a prompt", text, str)
        check_type("model", model, str, Model, type(None))
        check_type("limits", limits, Limits, type(None))
        limits = self.limits if limits is None else limits
        return Prompt(
            text=text,
            files=tuple(several("files", files)),
            output_type=output_type,
            model=_model(self.model if model is None else model),
            limits=limits if timeout is None else replace(limits, seconds=timeout),
        )

    def _unknown(self, name: str) -> SkillError:
        known = f"its skills: {', '.join(sorted((*self._skills, *self._named))) or 'none'}"
        is_trigger = self.workflow is not None and name in self.workflow.triggers
        hint = f"it is a trigger, and runs with: await agent.execute({name!r}, {{…}})" if is_trigger else known
        return SkillError(f"agent {self.id!r} has no skill {name!r}", hint=hint)

    def _check_free(self, name: str) -> None:
        if name in self._skills or name in self._named or self._hidden_skill(name) is not None:
            raise SkillError(
                f"agent {self.id!r} already has a skill {name!r}",
                hint="remove_skill takes the old one away, @agent.skill(name=...) gives the new one another name",
            )

    def _enter(self, runtime: "Runtime") -> "Runtime":
        """Be a member of the team from the first use of a runtime on."""
        if all(team.id != self.team for team in runtime.teams.of(self.candidate)):
            runtime.teams.join(self.candidate, self.team)
        return runtime


def _model(model: str | Model | None) -> Model:
    return model if isinstance(model, Model) else Model(model)


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:64].strip("-")
    if not slug:
        raise ConfigError(f"no id can be made of the name {name!r}", hint='give one: Agent(name, id="my-agent")')
    return slug
