"""A place to try one component out, with a real runtime around it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sre_core.access.candidate import Candidate
from sre_core.components.base import Component
from sre_core.components.compat import Compat
from sre_core.components.context import AgentInfo, ComponentContext, Request
from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.config import load
from sre_core.events import Event
from sre_core.host import FindAgent, RuntimeHost
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime

__all__ = ["Bench", "bench"]

_OPERATOR = Candidate.user("bench")


class Bench:
    """Runs components, one at a time, as nodes of an agent "a1" in the team "default"."""

    def __init__(self, host: RuntimeHost, context: ComponentContext, events: list[Event]) -> None:
        self.host = host
        self.context = context
        self.events = events

    async def run(
        self,
        component: type[Component] | str,
        data: Mapping[str, Any] | None = None,
        *,
        inputs: Mapping[str, Any] | None = None,
        input_ports: Sequence[InputPort | str] | None = None,
        outputs: Sequence[OutputPort | str] = (),
        template: Mapping[str, Any] | None = None,
        node_id: str = "NODE1",
    ) -> Mapping[str, Any]:
        """What the component returns. `data` is as in a workflow file; `outputs` are the ports that an author added.

        The inputs go in as they are: only the engine coerces them. Raises what the component raises.
        """
        cls = self.host.component(component) if isinstance(component, str) else component
        given = dict(inputs or {})
        known = {port.name for port in cls.inputs}
        added = [InputPort(name=name) for name in given if name not in known]
        ports = [*cls.inputs, *added] if input_ports is None else input_ports
        named = [InputPort(name=port) if isinstance(port, str) else port for port in ports]
        node = Node(
            id=node_id,
            type=cls.name,
            title=cls.name,
            label=cls.name,
            inputs=tuple({port.name: port for port in named}.values()),
            outputs=(
                *cls.outputs,
                *(OutputPort(name=port) if isinstance(port, str) else port for port in outputs),
            ),
            data=data or {},
            template=template or {},
        )
        return await cls.of(node).run(given, self.context)


@asynccontextmanager
async def bench(
    *,
    request: Request | None = None,
    caller: Candidate | None = None,
    variables: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    behavior: str = "",
    model: str = "echo",
    config: Mapping[str, Any] | None = None,
    plugins: Plugins | None = None,
    compat: Compat | None = None,
    find_agent: FindAgent | None = None,
) -> AsyncGenerator[Bench]:
    """A runtime in memory, and a place in it. `secrets` are what the agent may read of the vault, by name.

    `config` is as in `sre.toml`, added to connectors that keep all in memory and a model that echoes.
    """
    with TemporaryDirectory() as folder:
        made = _config(Path(folder), dict(config or {}), secrets or {})
        runtime = Runtime(made, plugins=plugins or Plugins.load(only=[]))
        runtime.teams.join(Candidate.agent("a1"), "default")
        async with runtime:
            for name, secret in (secrets or {}).items():
                await runtime.vault(_OPERATOR).set(name, secret)
            agent = AgentInfo(id="a1", name="Agent One", behavior=behavior, variables=variables or {})
            host = RuntimeHost(runtime, agent, model=model, find_agent=find_agent)
            events: list[Event] = []

            async def collect(event: Event) -> None:
                events.append(event)

            try:
                context = host.context(request or Request(), caller=caller, compat=compat, emit=collect)
                yield Bench(host, context, events)
            finally:
                await host.aclose()


def _config(folder: Path, config: dict[str, Any], secrets: Mapping[str, str]) -> Any:
    connectors: dict[str, Any] = {
        service: {"default": {"use": "memory"}} for service in ("storage", "vectors", "cache")
    }
    connectors |= {"llm": {"default": {"use": "echo"}}, **config.pop("connectors", {})}
    access = {f"vault/{name}": {"agent:a1": "read", str(_OPERATOR): "own"} for name in secrets}
    code = {"data": str(folder), **config, "connectors": connectors, "access": {**access, **config.get("access", {})}}
    return load(folder, {}, code).config
