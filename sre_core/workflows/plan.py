"""A workflow made ready to run: every node with its component, and every link with what it carries."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from sre_core.components.base import Component
from sre_core.components.loop import Fork, Loop
from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.components.path import MISSING, look_up, split_path
from sre_core.components.values import needs_coercion
from sre_core.errors import WorkflowError
from sre_core.workflows.graph import ENDPOINT, Workflow

__all__ = ["FindComponent", "Plan", "Station", "Wire"]

FindComponent = Callable[[str], type[Component]]
"""Gives the component type of a name, or raises WorkflowError."""


@dataclass(slots=True, eq=False)
class Wire:
    """A link, as the engine follows it. `input` is None for one that enters an endpoint."""

    target: "Station"
    input: str | None
    port: str
    is_default: bool
    base: str | None
    """The first default port, which a port that an author added is looked for in."""
    path: tuple[str, ...]

    def value(self, outputs: Mapping[str, Any]) -> Any:
        """What the link carries away of `outputs`, or MISSING: then it does not fire."""
        if self.is_default or self.base is None:
            value = outputs.get(self.port, MISSING)
        else:
            inner = outputs.get(self.base, MISSING)
            value = inner.get(self.port, MISSING) if isinstance(inner, Mapping) else MISSING
        return look_up(outputs, self.path) if value is MISSING else value


@dataclass(slots=True, eq=False, repr=False)
class Station:
    """A node, as the engine runs it: with its component, or with the `problem` that it has none."""

    node: Node
    index: int
    component: Component | None = None
    problem: str | None = None
    wires: list[Wire] = field(default_factory=list)
    feeds: dict[str, list["Station"]] = field(default_factory=dict)
    """For each linked input, where its links come from."""
    required: frozenset[str] = frozenset()
    coerced: tuple[InputPort, ...] = ()
    defaults: tuple[InputPort, ...] = ()
    body: frozenset["Station"] = frozenset()
    """What follows the item ports of a loop, or the outputs of a fork."""
    body_required: dict["Station", frozenset[str]] = field(default_factory=dict)
    feeders: frozenset["Station"] = frozenset()
    """What can still bring a value from outside into the body of a loop."""
    jobs: frozenset["Station"] = frozenset()
    """The forks in whose job it runs, and not in the run that starts the job."""

    def __repr__(self) -> str:
        # Not the usual one: it would follow all links, each time that it comes to a node.
        return f"<Station {self.id}>"

    @property
    def id(self) -> str:
        """The id of the node."""
        return self.node.id


class Plan:
    """The stations of a workflow. It never changes, and serves any number of runs at once."""

    def __init__(self, workflow: Workflow, find: FindComponent) -> None:
        """Never fails for a node: one of an unknown type, or with bad settings, fails when it is run."""
        self.workflow = workflow
        self.stations: dict[str, Station] = {
            node.id: _station(node, index, find) for index, node in enumerate(workflow.nodes.values())
        }
        self._wire()
        for station in self.stations.values():
            station.required = _required(station)
        for station in self.stations.values():
            if isinstance(station.component, Fork):
                self._mark_job(station, station.component)
            elif isinstance(station.component, Loop):
                self._mark_loop(station, station.component)

    def _wire(self) -> None:
        for link in self.workflow.links:
            source, target = self.stations[link.source], self.stations[link.target]
            port = source.node.outputs[link.output]
            name = None if link.input < 0 else target.node.inputs[link.input].name
            source.wires.append(_wire(source.node, port, target, name))
            if name is not None:
                target.feeds.setdefault(name, []).append(source)

    def _mark_job(self, station: Station, fork: Fork) -> None:
        starts = [wire.target for wire in station.wires if wire.port != fork.job_port]
        station.body = _reachable(starts, without=station)
        station.body_required = _inner_requirements(station, station.body)
        for inner in station.body:
            inner.jobs |= {station}

    def _mark_loop(self, station: Station, loop: Loop) -> None:
        # A port that an author added may lead into an item: "Loop.name".
        starts = [wire.target for wire in station.wires if loop.item_ports.intersection((wire.port, *wire.path[:1]))]
        if not starts:
            return
        station.body = _reachable(starts, without=station)
        outside = [
            source
            for inner in station.body
            for sources in inner.feeds.values()
            for source in sources
            if source is not station and source not in station.body
        ]
        # A node of the body that runs outside of the rounds, for what else is linked to it, brings values as well.
        station.feeders = _leading_to(outside, without=station) | station.body


def _station(node: Node, index: int, find: FindComponent) -> Station:
    station = Station(node, index)
    try:
        station.component = find(node.type).of(node)
    except WorkflowError as error:
        station.problem = f"{error.message}; {error.hint}" if error.hint else error.message
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())
        station.problem = f"the settings of {node} are wrong: {problems}"
    # An endpoint gives the request's values back with their types, and so must see them as they came.
    if node.type != ENDPOINT:
        station.coerced = tuple(port for port in node.inputs if needs_coercion(port))
        station.defaults = tuple(port for port in node.inputs if port.default not in (None, ""))
    return station


def _wire(source: Node, port: OutputPort, target: Station, name: str | None) -> Wire:
    base = next((other.name for other in source.outputs if other.default), None)
    path = split_path(port.expression or port.name)
    return Wire(target, name, port.name, port.default, None if port.default else base, path)


def _required(station: Station) -> frozenset[str]:
    optional = {port.name for port in station.node.inputs if port.optional}
    return frozenset(station.feeds.keys() - optional)


def _reachable(starts: Iterable[Station], *, without: Station) -> frozenset[Station]:
    found: set[Station] = set()
    open_ = list(starts)
    while open_:
        station = open_.pop()
        if station not in found and station is not without:
            found.add(station)
            open_ += (wire.target for wire in station.wires)
    return frozenset(found)


def _leading_to(starts: Iterable[Station], *, without: Station) -> frozenset[Station]:
    found: set[Station] = set()
    open_ = list(starts)
    while open_:
        station = open_.pop()
        if station not in found and station is not without:
            found.add(station)
            open_ += (source for sources in station.feeds.values() for source in sources)
    return frozenset(found)


def _inner_requirements(start: Station, body: frozenset[Station]) -> dict[Station, frozenset[str]]:
    """What must have arrived for a node of a job: nothing comes from outside once the job has begun."""
    inside = body | {start}
    return {
        station: frozenset(name for name in station.required if any(s in inside for s in station.feeds[name]))
        for station in body
    }
