"""Small workflows to try the engine with: links as text, and components that are Python functions."""

import inspect
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio.lowlevel

from sre_core.components.base import Component
from sre_core.components.compat import Compat
from sre_core.components.context import ComponentContext
from sre_core.components.flow.api_endpoint import APIEndpoint
from sre_core.components.flow.async_job import Async
from sre_core.components.flow.await_job import Await
from sre_core.components.flow.for_each import ForEach
from sre_core.components.loop import Loop
from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.errors import WorkflowError
from sre_core.events import Emit, discard
from sre_core.steps import Steps
from sre_core.testing import bench as benches
from sre_core.workflows import engine
from sre_core.workflows.graph import Link, Workflow
from sre_core.workflows.limits import WorkflowLimits
from sre_core.workflows.outcome import Outcome
from sre_core.workflows.plan import Plan
from sre_core.workflows.step import Gate

__all__ = [
    "DEFAULT",
    "Bench",
    "Call",
    "Recorder",
    "Replay",
    "Shuffled",
    "bench",
    "call",
    "find",
    "give",
    "keep",
    "node",
    "raises",
    "workflow",
]

DEFAULT = "Output"


class Call(Component):
    """Runs the Python function under `function`, which gets the inputs; its result is what the component returns."""

    name = "Call"
    outputs = (OutputPort(name=DEFAULT, default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        result = self.node.data["function"](dict(inputs))
        return await result if inspect.isawaitable(result) else result  # type: ignore[no-any-return]  # a test's own


class Odd(Loop):
    """A loop whose parts are Python functions of its node."""

    name = "Odd"
    outputs = (OutputPort(name="Loop", default=True), OutputPort(name="Result", default=True))
    item_ports = frozenset({"Loop"})

    async def items(self, inputs: Mapping[str, Any], context: ComponentContext) -> Any:
        return self.node.data.get("items", lambda given: given["Input"])(inputs)

    def item_outputs(self, item: Any) -> Any:
        return self.node.data.get("item_outputs", lambda one: {"Loop": one})(item)

    def collect(self, results: Any) -> Any:
        return self.node.data.get("collect", lambda found: {"Result": found})(results)

    def without_loop(self, items: Any) -> Any:
        return self.node.data.get("without_loop", lambda _: None)(items)


_KNOWN: Mapping[str, type[Component]] = {cls.name: cls for cls in (APIEndpoint, Call, Odd, ForEach, Async, Await)}


def find(name: str) -> type[Component]:
    """The component type of a name."""
    if name not in _KNOWN:
        raise WorkflowError(f"component {name!r} is not known", hint="install the plugin that has it")
    return _KNOWN[name]


def node(type_: str, *, inputs: Mapping[str, InputPort] | None = None, **data: Any) -> tuple[str, Any, Any]:
    """A node for `workflow`: its type, its settings, and those of its inputs that are more than a name."""
    return type_, data, inputs or {}


def call(function: Callable[[dict[str, Any]], Any], **more: Any) -> tuple[str, Any, Any]:
    """A node that returns what `function` does, outputs by name."""
    return node("Call", function=function, **more)


def give(value: Any) -> tuple[str, Any, Any]:
    """A node that gives the same value at `Output` each time."""
    return call(lambda _: {DEFAULT: value})


def keep(**more: Any) -> tuple[str, Any, Any]:
    """A node that gives its inputs, as an object, at `Output`."""
    return call(lambda inputs: {DEFAULT: inputs}, **more)


def raises(error: BaseException) -> tuple[str, Any, Any]:
    """A node that fails."""

    def function(_: Any) -> Any:
        raise error

    return call(function)


def workflow(links: str = "", **nodes: tuple[str, Any, Any]) -> Workflow:
    """Nodes by id, and links as in "E > A.x, A.Output.name > B.y?": the port `Output` where none is named.

    A question mark makes an input optional. "E > A!" enters A as a trigger enters an endpoint.
    """
    ports: dict[str, tuple[dict[str, InputPort], dict[str, OutputPort]]] = {
        id_: (dict(inputs), {port.name: port for port in _outputs(type_)}) for id_, (type_, _, inputs) in nodes.items()
    }
    made = []
    for text in filter(None, map(str.strip, links.replace("\n", ",").split(","))):
        left, right = (part.strip() for part in text.split(">"))
        source, _, output = left.partition(".")
        target, _, input_ = right.partition(".")
        name = input_.rstrip("?")
        outputs = ports[source][1]
        port = outputs.setdefault(output or DEFAULT, OutputPort(name=output or DEFAULT))
        if target.endswith("!"):
            made.append(Link(source=source, output=list(outputs).index(port.name), target=target[:-1], input=-1))
            continue
        inputs = ports[target][0]
        inputs.setdefault(name, InputPort(name=name, optional=input_.endswith("?")))
        made.append(
            Link(source=source, output=list(outputs).index(port.name), target=target, input=list(inputs).index(name))
        )
    return Workflow(
        id="a1",
        nodes={
            id_: Node(
                id=id_,
                type=type_,
                title=f"The {id_}",
                inputs=tuple(ports[id_][0].values()),
                outputs=tuple(ports[id_][1].values()),
                data=data,
            )
            for id_, (type_, data, _) in nodes.items()
        },
        links=tuple(made),
    )


def _outputs(type_: str) -> tuple[OutputPort, ...]:
    return _KNOWN[type_].outputs if type_ in _KNOWN else ()


class Bench:
    """Runs workflows; the first node is where they are entered."""

    def __init__(self, inner: benches.Bench, compat: Compat | None) -> None:
        self.inner = inner
        self.host = inner.host
        self.events = inner.events
        self.jobs = inner.host.jobs
        self._compat = compat

    async def run(
        self,
        flow: Workflow | Plan,
        inputs: Mapping[str, Any] | None = None,
        *,
        entry: str = "",
        steps: Steps | None = None,
        limits: WorkflowLimits | None = None,
        gate: Gate | None = None,
        is_heard: bool = False,
    ) -> Outcome:
        """What came of it. With `is_heard`, the events are in `events`."""
        plan = Plan(flow, find) if isinstance(flow, Workflow) else flow
        emit: Emit = self.inner.context.emit if is_heard else discard
        context = self.host.context(self.inner.context.request, compat=self._compat, emit=emit)
        first = entry or next(iter(plan.stations))
        return await engine.run(plan, first, context, inputs=inputs or {}, steps=steps, limits=limits, gate=gate)


@asynccontextmanager
async def bench(compat: Compat | None = None, **more: Any) -> AsyncGenerator[Bench]:
    """A place to run workflows in; `more` is for the bench of components."""
    async with benches.bench(**more) as inner:
        yield Bench(inner, compat)


class Recorder:
    """Runs every step, and keeps what it returned."""

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}

    async def run(self, key: str, fn: Callable[[], Awaitable[Any]]) -> Any:
        assert key not in self.results, f"the key {key} is not unique"
        self.results[key] = None
        self.results[key] = await fn()
        return self.results[key]


class Replay:
    """Returns what a Recorder has, and runs nothing."""

    def __init__(self, results: Mapping[str, Any]) -> None:
        self.results = results
        self.keys: list[str] = []

    async def run(self, key: str, fn: Callable[[], Awaitable[Any]]) -> Any:
        self.keys.append(key)
        return self.results[key]


class Shuffled:
    """Lets steps that run together end in an order that the seed decides."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    async def run(self, key: str, fn: Callable[[], Awaitable[Any]]) -> Any:
        for _ in range(self._random.randrange(5)):
            await anyio.lowlevel.checkpoint()
        result = await fn()
        for _ in range(self._random.randrange(5)):
            await anyio.lowlevel.checkpoint()
        return result
