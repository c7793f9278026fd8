"""What the components of a workflow get to work with: one agent's handles, models, conversations and HTTP client."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sre_core.access.candidate import Candidate
from sre_core.agents import loop
from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.components.base import Component
from sre_core.components.compat import Compat
from sre_core.components.context import AgentInfo, ComponentContext, ModelUse, Request, SubAgent
from sre_core.components.http_client import HTTPClient
from sre_core.components.jobs import Jobs
from sre_core.connectors.llm import LLM, LLMRequest
from sre_core.errors import NotFoundError
from sre_core.events import Emit, discard
from sre_core.messages import File, Message
from sre_core.runtime import Runtime
from sre_core.skills import Skill, SkillContext
from sre_core.steps import DirectSteps

__all__ = ["FindAgent", "LooseEnds", "RuntimeHost", "replaced_model"]

FindAgent = Callable[[str, str], Awaitable[SubAgent]]
"""Finds another agent by id and version. Raises NotFoundError."""


@dataclass(slots=True)
class LooseEnds:
    """What of a host must be ended, apart from the host: an agent may be forgotten before its runtime closes."""

    jobs: Jobs = field(default_factory=Jobs)
    http: HTTPClient | None = None

    async def aclose(self, *, join: bool = False) -> None:
        """Wait for the jobs with `join`, else cancel them; close the connections. Safe to call twice."""
        try:
            if join:
                await self.jobs.join()
        finally:
            try:
                await self.jobs.aclose()
            finally:
                if self.http is not None:
                    await self.http.aclose()


class RuntimeHost:
    """A Host over a Runtime, for one agent. It lives as long as the runtime does; close it before."""

    def __init__(
        self,
        runtime: Runtime,
        agent: AgentInfo,
        *,
        model: str | None = None,
        models: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        find_agent: FindAgent | None = None,
    ) -> None:
        """`model` is the agent's own, `limits` are those of the conversations that its components begin.

        `models` replaces models that nodes name; under "*" stands what replaces all.
        """
        self.runtime = runtime
        self.agent = agent
        self.candidate = Candidate.agent(agent.id)
        self.ends = LooseEnds()
        self.default_model = model
        self.limits = limits or Limits()
        self._models = models or {}
        self._find_agent = find_agent

    @property
    def http(self) -> HTTPClient:
        """The client for all requests that leave."""
        if self.ends.http is None:
            self.ends.http = HTTPClient()
        return self.ends.http

    @property
    def jobs(self) -> Jobs:
        """The jobs of the agent."""
        return self.ends.jobs

    async def aclose(self, *, join: bool = False) -> None:
        """Close the loose ends. Safe to call twice."""
        await self.ends.aclose(join=join)

    def model(self, name: str | None) -> ModelUse:
        """The model of that name; None, "" and "default" are the agent's own. Raises ConfigError."""
        asked = name if name and name != "default" else self.default_model
        choice = self.runtime.choose_model(replaced_model(asked, self._models))
        return ModelUse(
            llm=self.runtime.llm(self.candidate, choice.connector),
            request=choice.fill(LLMRequest(messages=(), model=choice.model)),
        )

    async def converse(
        self,
        prompt: str,
        *,
        skills: Mapping[str, Skill] = {},
        model: str | None = None,
        behavior: str = "",
        files: tuple[File, ...] = (),
        history: Sequence[Message] = (),
        emit: Emit = discard,
    ) -> str:
        """Answer a prompt in a conversation of its own, with skills. Raises what the agent loop raises."""
        use = self.model(model)
        run_id = secrets.token_hex(8)
        reply = await loop.run(
            llm=use.llm,
            conversation=Conversation(id=run_id, messages=[*history, Message.user(prompt, files=files)]),
            skills=skills,
            limits=self.limits,
            steps=DirectSteps(),
            emit=emit,
            context=partial(self._skill_context, use.llm, run_id),
            base=use.request,
            behavior=behavior,
            run_id=run_id,
            agent_id=self.agent.id,
        )
        return str(reply)

    async def sub_agent(self, id: str, *, version: str = "") -> SubAgent:  # noqa: A002 -- the field's own name
        """Another agent by its id. Raises NotFoundError."""
        if self._find_agent is None:
            raise NotFoundError(
                f"no agent {id!r} is known here", hint="load the files of all agents together, or lay them side by side"
            )
        return await self._find_agent(id, version)

    def component(self, name: str) -> type[Component]:
        """The component type of that name. Raises WorkflowError."""
        return self.runtime.plugins.component(name)

    def context(
        self,
        request: Request,
        *,
        caller: Candidate | None = None,
        run_id: str | None = None,
        compat: Compat | None = None,
        emit: Emit = discard,
    ) -> ComponentContext:
        """What the components of one run see. Without a `caller` the agent asks for itself."""
        runtime, candidate = self.runtime, self.candidate
        return ComponentContext(
            candidate=candidate,
            caller=caller or candidate,
            agent=self.agent,
            request=request,
            host=self,
            storage=runtime.storage(candidate),
            caller_storage=runtime.storage(caller or candidate),
            vectors=runtime.vectors(candidate),
            cache=runtime.cache(candidate),
            vault=runtime.vault(candidate),
            run_id=run_id or secrets.token_hex(8),
            jobs=self.jobs,
            compat=compat or Compat(),
            emit=emit,
        )

    def _skill_context(self, llm: LLM, run_id: str) -> SkillContext:
        runtime, candidate = self.runtime, self.candidate
        return SkillContext(
            candidate=candidate,
            storage=runtime.storage(candidate),
            cache=runtime.cache(candidate),
            vectors=runtime.vectors(candidate),
            vault=runtime.vault(candidate),
            llm=llm,
            run_id=run_id,
        )


def replaced_model(name: str | None, models: Mapping[str, str]) -> str | None:
    """The model that takes the place of what a file calls `name`: by that name, else what replaces all, else itself."""
    # What SmythOS itself resells goes by the names of the makers here; and it writes this one with a capital.
    plain = "echo" if name == "Echo" else name and name.removeprefix("smythos/")
    found = next((key for key in (name, plain, "*") if key and key in models), None)
    model = plain if found is None else models[found]
    return "echo" if model == "Echo" else model
