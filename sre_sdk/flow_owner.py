"""What an agent has of a workflow: running its endpoints, looking at it, and writing it to a file."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from sre_core.access.candidate import Candidate
from sre_core.errors import AgentError, SkillError
from sre_core.events import Emit
from sre_core.skills import Skill
from sre_core.steps import Steps
from sre_sdk.given import check_type
from sre_sdk.model import model_name
from sre_sdk.owner import Owner
from sre_sdk.prompt import make_context

if TYPE_CHECKING:
    from sre_core.components.context import SubAgent
    from sre_core.runtime import Runtime
    from sre_core.workflows.debug import Debugger
    from sre_core.workflows.graph import Workflow
    from sre_core.workflows.outcome import Outcome
    from sre_core.workflows.step import Gate
    from sre_sdk.agent import Agent
    from sre_sdk.building import Part
    from sre_sdk.flow import Flow

__all__ = ["FlowOwner"]


class FlowOwner(Owner):
    """An owner that may have a workflow; most agents have none."""

    __slots__ = ("_described", "_flow")

    def __init__(self, candidate: Candidate, runtime: "Runtime | None") -> None:
        super().__init__(candidate, runtime)
        self._flow: Flow | None = None
        self._described: Workflow | None = None

    @property
    def _agent(self) -> "Agent":
        """Itself, by its whole type: nothing else than an Agent has this class among its parents."""
        return cast("Agent", self)

    @property
    def workflow(self) -> "Workflow | None":
        """The graph that the agent was loaded with, or that was built for it."""
        return None if self._flow is None else self._flow.workflow

    def _adopt(self, flow: "Flow") -> None:
        """Take a workflow, and its endpoints as skills."""
        skills = flow.skills(self._agent)
        self._flow = flow
        self._described = flow.workflow
        for skill in skills.values():
            self._agent.add_skill(skill)

    def endpoint(
        self,
        name: str,
        *,
        description: str = "",
        method: Literal["POST", "GET"] = "POST",
        inputs: Mapping[str, Any] | None = None,
        exposed: bool = True,
        **settings: Any,
    ) -> "Part":
        """Begin a workflow, or add to it: a place where it is entered, and a skill of that name.

        `inputs` are types by name, as `{"query": str, "picture": "Image"}`; `Part.input` says more of one. With
        `exposed` False no model is shown the skill. What follows is connected to the part that this returns. Raises
        SkillError for a name that is taken, ConfigError for inputs that are no mapping.
        """
        check_type("inputs", inputs, Mapping, type(None))
        from sre_sdk.building import Component
        from sre_sdk.flow import Flow

        agent = self._agent
        agent._check_free(name)  # noqa: SLF001 -- the rest of this class
        said = {"endpoint": name, "description": description, "method": method, "ai_exposed": exposed}
        part = Component.of("APIEndpoint", **{"title": name, **said, **settings})
        for port, kind in (inputs or {}).items():
            part.input(port, kind)
        if self._flow is None:
            self._flow = Flow.of(agent)
        flow = self._flow
        flow.graph.join(part.graph)
        if exposed:
            agent.add_skill(flow.skill(agent, name))
        return part

    def _hidden_skill(self, name: str) -> "Skill | None":
        """An endpoint that no model is shown."""
        flow = self._flow
        if flow is None or name not in flow.hidden:
            return None
        try:
            return flow.skill(self._agent, name)
        except SkillError:
            # It has a name that no skill can have.
            return None

    def _renew(self, skills: "dict[str, Skill]") -> None:
        """Describe the endpoints among `skills` as they are now, where the workflow was built on."""
        flow = self._flow
        if flow is not None and flow.workflow is not self._described:
            self._described = flow.workflow
            skills.update({name: flow.skill(self._agent, name) for name in skills.keys() & flow.workflow.endpoints})

    async def execute(
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
        gate: "Gate | None" = None,
    ) -> "Outcome":
        """Run an endpoint or a trigger of the workflow, and return all that came of it: results, failures, what waits.

        `call` returns the result alone, and raises when there is none. `caller` is whose files the arguments may name,
        by default the agent's own. `raw` is the body as it came over HTTP, whose signature a trigger checks. `session`
        is what memory of a session goes by. `emit` hears each step, and the end of each job. `steps` may keep
        a journal, `gate` stand before each step. Raises AgentError without a workflow, SkillError for an unknown
        endpoint, ConfigError for arguments that are no mapping, LimitExceededError.
        """
        check_type("arguments", arguments, Mapping, type(None))
        from sre_sdk.flow import Asked

        flow = self._flow
        if flow is None:
            raise AgentError(f"agent {self.id!r} has no workflow", hint='load one: Agent.load("agent.smyth")')
        asked = Asked(
            endpoint=endpoint,
            arguments=arguments or {},
            caller=caller,
            headers=headers,
            raw=raw,
            session_id=session,
            emit=emit,
            steps=steps,
            gate=gate,
        )
        async with self.attached() as runtime:
            return await flow.run(self._agent, runtime, asked)

    def debug(self, endpoint: str, arguments: Mapping[str, Any] | None = None, **options: Any) -> "Debugger":
        """Run an endpoint step by step: `async with agent.debug("skill", {…}) as session: await session.step()`.

        `options` are those of `execute`, whose errors come where the block is entered, as SkillError for an unknown
        endpoint. `session.inject` raises WorkflowError for a node or port that is not there.
        """
        from sre_core.workflows.debug import Debugger
        from sre_sdk.injection import check_injection

        check_type("arguments", arguments, Mapping, type(None))
        check = None if self._flow is None else partial(check_injection, self._flow)
        return Debugger(lambda gate: self.execute(endpoint, arguments, gate=gate, **options), check=check)

    def save(self, path: str | Path) -> None:
        """Write the workflow, with the agent's name, behavior, model and team, as a `.smyth` file.

        What the file had that nobody here knows is written back. Raises AgentError when the agent has skills that are
        Python functions, which no file can hold; OSError.
        """
        from sre_sdk.saving import save_agent

        save_agent(self._agent, path)

    def as_sub_agent(self) -> "SubAgent":
        """The agent as the components of another agent's workflow see it."""
        from sre_core.components.context import SubAgent

        agent = self._agent
        return SubAgent(
            id=agent.id,
            name=agent.name,
            behavior=agent.behavior,
            skills={name: self._as_itself(skill) for name, skill in agent.skills.items()},
            model=model_name(agent.model),
        )

    def _as_itself(self, skill: Skill) -> Skill:
        """The skill with handles of this agent, whoever calls it."""
        if not skill.takes_context:
            return skill
        agent = self._agent

        async def call(**arguments: Any) -> Any:
            async with agent.attached() as runtime:
                return await skill.call(arguments, make_context(agent, runtime, agent.llm))

        # The skill itself looks at the arguments.
        return Skill(
            name=skill.name,
            description=skill.description,
            parameters=skill.parameters,
            function=call,
            validate=dict,
        )
