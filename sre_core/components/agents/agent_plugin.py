"""Another agent, asked by a workflow."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext, SubAgent
from sre_core.components.loose_json import parse_loose_json
from sre_core.components.node import InputPort, OutputPort
from sre_core.components.path import MISSING, look_up, split_path
from sre_core.components.template import as_text, expand
from sre_core.errors import ComponentError

__all__ = ["AgentPlugin", "AgentPluginSettings"]

_asked: ContextVar[tuple[str, ...]] = ContextVar("sre_agents_asked", default=())
"""The agents that wait for each other in this task, the first one first: their ids and nothing else."""


class AgentPluginSettings(ComponentSettings):
    """Which agent, and what it works with."""

    agent_id: str = Field(min_length=1, max_length=200, description="The id of the agent to ask.")
    version: str = Field("", description="Which version of it, such as dev-latest; none leaves it to the runtime.")
    model: str = Field("", description="The model to use instead of the agent's own.")
    open_ai_model: str = Field("", description="An older name of model; counts only without it.")
    desc_for_model: str = Field(
        "", max_length=5000, description="What the agent is told about its task, with {{inputs}}."
    )
    max_depth: int = Field(8, ge=1, le=100, description="How many agents may wait for each other, this one included.")


class AgentPlugin(Component):
    """Asks another agent, which answers in a conversation with its own skills.

    `Response` is the answer. Outputs that an author adds are taken from it: the agent is asked for a JSON object, and
    `Response` is then that object; if it answers otherwise, `Response` is its text and `_error` says so.

    The agent gets the prompt and nothing else: no header, session or key of the request. Agents that ask each other
    in a circle end with an error that names them, once `maxDepth` of them wait.
    """

    name = "AgentPlugin"
    settings_type = AgentPluginSettings
    settings: AgentPluginSettings
    inputs = (InputPort(name="Prompt", type="Text", description="What to ask."),)
    outputs = (OutputPort(name="Response", default=True, description="What the agent answered."),)
    open_outputs = True

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """Ask the agent."""
        prompt = as_text(inputs.get("Prompt") or "").strip()
        if not prompt:
            raise ComponentError("there is nothing to ask", hint="give the input Prompt a text")
        agent_id = await expand(self.settings.agent_id, {}, context, node=self.node)
        # Whoever asks first is in the chain too, so that a message shows the whole circle.
        chain = (*(_asked.get() or (context.agent.id,)), agent_id)
        if len(chain) - 1 > self.settings.max_depth:
            raise ComponentError(
                f"{self.settings.max_depth} agents wait for each other already: {' > '.join(chain)}",
                hint="break the circle, or raise maxDepth",
            )
        task = await expand(self.settings.desc_for_model, inputs, context, node=self.node)
        agent = await context.host.sub_agent(agent_id, version=self.settings.version)
        token = _asked.set(chain)
        try:
            answer = await context.host.converse(
                prompt,
                skills=agent.skills,
                model=self.settings.model or self.settings.open_ai_model or agent.model,
                behavior=self._behavior(agent, task),
            )
        finally:
            _asked.reset(token)
        return self._outputs(answer)

    def _behavior(self, agent: SubAgent, task: str) -> str:
        parts = [f"Your name is {agent.name}." if agent.name else "", agent.behavior, task]
        if ports := self._wanted():
            fields = ", ".join(
                f"{_key(port)!r}{f' ({port.description})' if port.description else ''}" for port in ports
            )
            parts.append(f"Answer with one JSON object and nothing else. Its keys are: {fields}.")
        return "\n\n".join(part for part in parts if part)

    def _wanted(self) -> tuple[OutputPort, ...]:
        """The outputs that lie within the answer; one that is another name for all of it does not."""
        return tuple(port for port in self.node.custom_outputs() if _key(port) != "Response")

    def _outputs(self, answer: str) -> Mapping[str, Any]:
        ports = self._wanted()
        if not ports:
            return {"Response": answer}
        fields = _json_object(answer)
        if fields is None:
            names = ", ".join(port.name for port in ports)
            return {"Response": answer, "_error": f"the agent answered with no JSON object, so there is no {names}"}
        found = {port.name: look_up(fields, split_path(_key(port))) for port in ports}
        return {**{name: value for name, value in found.items() if value is not MISSING}, "Response": fields}


def _key(port: OutputPort) -> str:
    """Where the answer has the value of a port; `Response.city` and `city` mean the same."""
    return (port.expression or port.name).removeprefix("Response.")


def _json_object(text: str) -> Mapping[str, Any] | None:
    """The object that a model wrote, also where it wrote more than that."""
    try:
        value = parse_loose_json(text)
    except ComponentError:
        return None
    return value if isinstance(value, Mapping) else None
