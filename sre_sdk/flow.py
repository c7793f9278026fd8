"""The workflow of an agent, ready to run: its endpoints as skills, with what components need around them."""

import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from sre_core import logs
from sre_core.access.candidate import Candidate
from sre_core.agents.conversation import current_conversation
from sre_core.components.base import Component
from sre_core.components.compat import Compat
from sre_core.components.context import AgentInfo, Request
from sre_core.components.library import builtin_component
from sre_core.components.node import InputPort, Node
from sre_core.components.values import is_file_port, needs_coercion
from sre_core.errors import SkillError, StepFailedError, WorkflowError
from sre_core.events import Emit, current_emit, discard
from sre_core.host import FindAgent, LooseEnds, RuntimeHost
from sre_core.messages import File
from sre_core.runtime import Runtime
from sre_core.skills import Skill
from sre_core.steps import Steps
from sre_core.workflows import engine
from sre_core.workflows.graph import Workflow, method_of
from sre_core.workflows.limits import WorkflowLimits
from sre_core.workflows.outcome import Failure, Outcome
from sre_core.workflows.plan import Plan
from sre_core.workflows.step import Gate
from sre_sdk.endpoint import endpoint_spec, is_exposed
from sre_sdk.graph import Graph
from sre_sdk.model import model_name
from sre_sdk.prompt import both

if TYPE_CHECKING:
    from sre_sdk.agent import Agent

__all__ = ["Asked", "Flow", "result_of"]

log = logs.get_logger(__name__)

_JSON = {"Content-Type": "application/json"}

# Who sent the request that the workflows around this one work at. A model, or another agent, that calls a skill for
# it may name files, and opens none that the sender could not open.
_caller: ContextVar[Candidate | None] = ContextVar("sre_current_caller", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call of an endpoint, or of a trigger.

    Without a `caller` it is the one of the workflow that calls; outside of workflows the agent asks for itself.
    """

    endpoint: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    caller: Candidate | None = None
    headers: Mapping[str, str] | None = None
    raw: bytes = field(default=b"", repr=False)
    session_id: str = ""
    emit: Emit | None = None
    steps: Steps | None = None
    gate: Gate | None = None


class Flow:
    """A workflow, and how to run it in the runtimes where its agent works."""

    def __init__(
        self,
        workflow: Workflow,
        *,
        models: Mapping[str, str] | None = None,
        compat: Compat | None = None,
        limits: WorkflowLimits | None = None,
        find_agent: FindAgent | None = None,
    ) -> None:
        self._workflow = workflow
        self._graph: Graph | None = None
        self._built = 0
        self.models = dict(models or {})
        self.compat = compat or Compat()
        self.limits = limits or WorkflowLimits()
        self.find_agent = find_agent
        self._plans: weakref.WeakKeyDictionary[Runtime, Plan] = weakref.WeakKeyDictionary()
        self._hosts: weakref.WeakKeyDictionary[Runtime, RuntimeHost] = weakref.WeakKeyDictionary()

    @classmethod
    def of(cls, agent: "Agent") -> "Flow":
        """An empty one, for an agent that was made in Python."""
        return cls(Workflow(id=agent.id, name=agent.name, behavior=agent.behavior, team=agent.team))

    @property
    def workflow(self) -> Workflow:
        """The workflow as it is now. What runs already goes on with the one that it began with."""
        graph = self._graph
        if graph is not None and graph.version != self._built:
            self._workflow = graph.fill(self._workflow)
            self._built = graph.version
            self._plans.clear()
        return self._workflow

    @property
    def graph(self) -> Graph:
        """The workflow, to go on building it."""
        if self._graph is None:
            self._graph = Graph(self._workflow)
        return self._graph

    def skills(self, agent: "Agent") -> dict[str, Skill]:
        """The endpoints that models may call, by name. One with a name that no skill can have is left out."""
        found = {}
        for name, node in self.workflow.endpoints.items():
            if name in self.hidden:
                continue
            try:
                found[name] = self.skill(agent, name)
            except SkillError as error:
                log.warning("endpoint_left_out", node=node.id, name=name, error=error.message)
        return found

    @property
    def hidden(self) -> frozenset[str]:
        """The endpoints that no model is shown."""
        return frozenset(name for name, node in self.workflow.endpoints.items() if not is_exposed(node))

    def skill(self, agent: "Agent", name: str) -> Skill:
        """One endpoint. Raises KeyError, SkillError for a name that no skill can have."""
        spec = endpoint_spec(name, self.workflow.endpoints[name])

        async def call(**arguments: Any) -> Any:
            async with agent.attached() as runtime:
                return result_of(await self.run(agent, runtime, Asked(endpoint=name, arguments=arguments)), name, self)

        return Skill(
            name=name,
            description=spec.description,
            parameters=spec.parameters,
            function=call,
            validate=partial(_named, name),
        )

    async def run(self, agent: "Agent", runtime: Runtime, asked: Asked) -> Outcome:
        """Run an endpoint, or a trigger by its name. Raises SkillError for an unknown one, LimitExceededError."""
        node = self.workflow.endpoints.get(asked.endpoint) or self.workflow.triggers.get(asked.endpoint)
        if node is None:
            known = ", ".join(sorted({*self.workflow.endpoints, *self.workflow.triggers})) or "none"
            raise SkillError(f"agent {agent.id!r} has no endpoint {asked.endpoint!r}", hint=f"its endpoints: {known}")
        context = self.host(agent, runtime).context(
            await _request(asked, node),
            caller=asked.caller or _caller.get(),
            compat=self.compat,
            emit=_emit(asked, runtime),
        )
        # The plan may be of an earlier call only if nothing was built since: `workflow` above has seen to that.
        plan = self._plan(runtime)
        outer = _caller.set(context.caller)
        try:
            return await engine.run(plan, node.id, context, steps=asked.steps, limits=self.limits, gate=asked.gate)
        finally:
            _caller.reset(outer)

    def host(self, agent: "Agent", runtime: Runtime) -> RuntimeHost:
        """What the components of this workflow work with in a runtime; it closes when the runtime does."""
        info = AgentInfo(
            id=agent.id, name=agent.name, team=agent.team, behavior=agent.behavior, variables=self.workflow.variables
        )
        host = self._hosts.get(runtime)
        if host is None:
            host = RuntimeHost(runtime, info, models=self.models, find_agent=self.find_agent)
            self._hosts[runtime] = host
            runtime.before_stop(partial(_close, host.ends, weakref.ref(self), weakref.ref(runtime)))
        # An agent's behavior, model and limits may be changed between two calls.
        host.agent, host.default_model, host.limits = info, model_name(agent.model), agent.limits
        return host

    def forget(self, runtime: Runtime | None) -> None:
        """Keep nothing of a runtime, which its host would keep alive."""
        if runtime is not None:
            self._hosts.pop(runtime, None)
            self._plans.pop(runtime, None)

    def component(self, name: str) -> type[Component] | None:
        """The component type of that name, as far as the runtimes where the workflow has run know it."""
        own = {} if self._graph is None else self._graph.kinds
        found = own.get(name) or builtin_component(name)
        for runtime in () if found else tuple(self._plans):
            with suppress(WorkflowError):
                return runtime.plugins.component(name)
        return found

    def _plan(self, runtime: Runtime) -> Plan:
        plan = self._plans.get(runtime)
        if plan is None:
            own = {} if self._graph is None else self._graph.kinds
            plan = Plan(self.workflow, lambda name: own.get(name) or runtime.plugins.component(name))
            self._plans[runtime] = plan
        return plan


def result_of(outcome: Outcome, name: str, flow: Flow) -> Any:
    """What a call returns: the results as SmythOS gives them.

    Raises StepFailedError when there are only errors, WorkflowError when nothing came of the call because nodes wait,
    or because no link of the endpoint fired.
    """
    if outcome.has_result or flow.compat.silent_failures:
        return outcome.data
    if outcome.failures:
        raise StepFailedError(
            f"{name!r} failed: {'; '.join(map(str, outcome.failures))}",
            hint=_mend(outcome.failures, flow),
        )
    if outcome.waiting:
        raise WorkflowError(
            f"{name!r} ended without a result: {'; '.join(map(str, outcome.waiting))}",
            hint="make these inputs optional, or see why no link to them fired: sre debug FILE SKILL",
        )
    node = flow.workflow.endpoints.get(name)
    if outcome.steps == 1 and node is not None:
        raise WorkflowError(
            f"{name!r} ended without a result: no link of the endpoint fired", hint=_takes(node, flow.workflow)
        )
    return outcome.data


def _takes(endpoint: Node, workflow: Workflow) -> str:
    """What an endpoint can be given, and what its links wait for."""
    inputs = ", ".join(port.name for port in endpoint.inputs) or "none"
    ports = [endpoint.outputs[link.output] for link in workflow.links if link.source == endpoint.id]
    taken = ", ".join(dict.fromkeys(port.expression or port.name for port in ports)) or "nothing"
    return f"its inputs: {inputs}; its links take: {taken}"


def _mend(failures: Sequence[Failure], flow: Flow) -> str:
    """What to do about nodes that failed: what their errors advise, then what always helps."""
    advice = list(dict.fromkeys(failure.hint for failure in failures if failure.hint))
    nodes = flow.workflow.nodes
    # Not for what else fails at a node with a model, as its secret.
    about = [failure for failure in failures if failure.node_id in nodes and "model" in failure.message]
    named = [nodes[failure.node_id].data.get("model") for failure in about]
    models = [name for name in named if isinstance(name, str) and name]
    if models:
        other = f"models={{{models[0]!r}: …}}, on the command line --models {models[0]}=…"
        advice.append(f"{other}, takes another model")
    advice.append("link the port `_error` of a node to what should happen then, or debug it: sre debug FILE SKILL")
    return "; or ".join(advice)


async def _close(
    ends: LooseEnds,
    flow: weakref.ref[Flow],
    runtime: weakref.ref[Runtime],
    join: bool,  # noqa: FBT001 -- see Runtime.before_stop
) -> None:
    """For the end of the runtime, which keeps no agent alive until then."""
    found = flow()
    if found is not None:
        found.forget(runtime())
    await ends.aclose(join=join)


def _named(name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """Endpoints coerce their inputs by themselves, and see all of a request; only names must be names."""
    if not all(isinstance(key, str) for key in arguments):
        raise SkillError(f"bad arguments for skill {name!r}: names must be text")
    return arguments


async def _request(asked: Asked, node: Node) -> Request:
    method = method_of(node)
    values, files = await _split(asked.arguments, node)
    chat = current_conversation.get()
    conversation: Sequence[Any] = chat.messages if chat is not None else ()
    session = asked.session_id or (chat.id if chat is not None else "")
    return Request(
        endpoint=asked.endpoint,
        method=method,
        headers=_JSON if asked.headers is None else asked.headers,
        body=values if method != "GET" else {},
        query=values if method == "GET" else {},
        files=files,
        raw=asked.raw,
        conversation=tuple(conversation),
        session_id=session,
    )


async def _split(arguments: Mapping[str, Any], node: Node) -> tuple[dict[str, Any], dict[str, tuple[File, ...]]]:
    """Values, and the files among them, which go as uploads. Raises SkillError for a file where none is taken."""
    values: dict[str, Any] = {}
    files: dict[str, tuple[File, ...]] = {}
    for name, value in arguments.items():
        port = node.input(name) or InputPort(name=name)
        several = value if isinstance(value, list | tuple) else (value,)
        if not several or not all(isinstance(item, Path | File) for item in several):
            # Among other forms of files, paths are files too.
            mixed = several is value and is_file_port(port)
            values[name] = [await _file(item) if isinstance(item, Path) else item for item in value] if mixed else value
            continue
        if needs_coercion(port) and not is_file_port(port):
            raise SkillError(
                f"the input {name!r} takes no file, its type is {port.type!r}", hint="give it the type Binary"
            )
        found = [await _file(item) for item in several]
        if several is value and is_file_port(port):
            # One upload of a name would not come out as a list.
            values[name] = found
        else:
            files[name] = tuple(found)
    return values, files


async def _file(file: Path | File) -> File:
    return file if isinstance(file, File) else await to_thread.run_sync(File.from_path, file)


def _emit(asked: Asked, runtime: Runtime) -> Emit:
    """Where the steps are told: to whoever asked, else to the run that asked, and to the plugins, each of them once."""
    around = current_emit.get()
    if asked.emit is None and around is not None and around is not discard:
        # A run tells its plugins by itself.
        return around
    if not runtime.is_observed:
        return asked.emit or discard
    return runtime.emit if asked.emit is None else both(runtime.emit, asked.emit)
