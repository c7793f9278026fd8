"""A second engine to hold the first against: slow, without any concurrency, one plain rule after another.

It knows nodes that are Python functions, see `graphs.call`, and ForEach. Everything is by the id of a node, in dicts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sre_core.components.kinds import kind_of
from sre_core.workflows.graph import Link, Workflow

__all__ = ["Circle", "Reference", "Result", "TooMuch"]

ABSENT = object()


class Circle(Exception):  # noqa: N818 -- not an error here
    """A node ran more often than the limit allows."""


class TooMuch(Exception):  # noqa: N818 -- not an error here
    """The run is larger than a test has patience for."""


@dataclass
class Result:
    """What the engine's Outcome holds, in plain values: failures and waiting nodes by what can be compared."""

    data: Any
    failures: list[tuple[str, str, str]]
    waiting: list[tuple[str, set[str]]]
    has_result: bool


@dataclass
class Part:
    """The whole run, or one round of a loop, inside `parent`. `allowed` are the nodes that may run in it."""

    key: str = ""
    parent: "Part | None" = None
    allowed: set[str] | None = None
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    leaves: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    errors: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    failures: list[tuple[str, str, str]] = field(default_factory=list)

    def outer(self, node: str) -> dict[str, Any]:
        """What the surroundings hold for a node, the nearest first."""
        found: dict[str, Any] = {}
        part = self.parent
        while part is not None:
            found = {**part.inputs.get(node, {}), **found}
            part = part.parent
        return found


class Reference:
    """Runs a workflow; `limit` is how often one node may run in one part."""

    def __init__(self, workflow: Workflow, *, limit: int = 1000, patience: int = 2000) -> None:
        self.workflow = workflow
        self.order = list(workflow.nodes)
        self.limit = limit
        self.patience = patience
        self.in_loops: set[str] = set()

    def run(self, entry: str, inputs: Mapping[str, Any]) -> Result:
        whole = Part()
        whole.inputs[entry] = dict(inputs)
        whole.ready.add(entry)
        self.finish(whole)
        found: dict[str, Any] = {}
        for node, outputs in [*whole.leaves, *whole.errors]:
            found.setdefault(node, self.envelope(node, outputs))
        return Result(
            data=next(iter(found.values())) if len(found) == 1 else list(found.values()),
            failures=whole.failures,
            waiting=[
                (node, self.missing(whole, node))
                for node in self.order
                if node in whole.inputs and self.missing(whole, node) and node not in self.in_loops
            ],
            has_result=any(not outputs.get("_error") for _, outputs in whole.leaves),
        )

    def finish(self, part: Part) -> None:
        """One cycle after the other, until nothing is ready and no loop goes on."""
        going: dict[str, tuple[dict[str, Any], str]] = {}
        while part.ready or going:
            cycle = [node for node in self.order if self.may_start(part, node, going)]
            if not cycle and not going:
                # Loops that wait for each other: the first one goes.
                cycle = [node for node in self.order if node in part.ready][:1]
            if not cycle:
                for node in [node for node in self.order if node in going]:
                    self.end_loop(part, node, *going.pop(node))
                continue
            taken = [(node, *self.begin(part, node)) for node in cycle]
            results = []
            for node, inputs, key in taken:
                if self.body(node):
                    going[node] = (inputs, key)
                else:
                    results.append((node, self.outputs(node, inputs)))
            for node, outputs in results:
                self.apply(part, node, outputs)

    def may_start(self, part: Part, node: str, going: Iterable[str]) -> bool:
        """A loop waits while anything active is in its body, or leads there other than through the loop."""
        if node not in part.ready or node in going:
            return False
        body = self.body(node)
        active = {*part.ready, *going} - {node}
        return not any(self.reach([other], without=node) & body for other in active)

    def begin(self, part: Part, node: str) -> tuple[dict[str, Any], str]:
        self.patience -= 1
        if self.patience < 0:
            raise TooMuch
        number = part.counts.get(node, 0)
        if number >= self.limit:
            raise Circle
        part.counts[node] = number + 1
        part.ready.discard(node)
        if self.body(node):
            self.in_loops |= self.body(node)
        return {**part.outer(node), **part.inputs.pop(node, {})}, f"{part.key}{node}#{number}"

    def outputs(self, node: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if self.is_loop(node):
            items = self.items(inputs)
            return {"_error": items} if isinstance(items, str) else self.collect(node, [])
        try:
            return self.workflow.nodes[node].data["function"](inputs) or {}
        except ValueError as error:
            return {"_error": f"ValueError: {error}"}

    def apply(self, part: Part, node: str, outputs: dict[str, Any]) -> None:
        fired, handled = self.fire(part, node, outputs)
        # At the top, one whose links all lead nowhere in this run is a leaf as much as one without links; but its error
        # comes behind the results.
        late = bool(self.links(node) and outputs.get("_error") and part.parent is None)
        if not fired and not late if self.links(node) or part.parent else True:
            part.leaves.append((node, outputs))
        if outputs.get("_error") and not handled:
            part.errors.append((node, outputs))
            step = f"{part.key}{node}#{part.counts[node] - 1}"
            part.failures.append((node, str(outputs["_error"]), step))

    def fire(self, part: Part, node: str, outputs: dict[str, Any]) -> tuple[bool, bool]:
        reached, handled = [], False
        for link in self.links(node):
            port = self.workflow.nodes[node].outputs[link.output]
            value = self.value(node, port, outputs)
            if value is ABSENT:
                continue
            self.deliver(part, link.target, self.input_name(link), value)
            if part.allowed is None or link.target in part.allowed:
                reached.append(link.target)
                handled = handled or port.name == "_error"
        for target in reached:
            if not self.missing(part, target):
                part.ready.add(target)
        return bool(reached), handled

    def value(self, node: str, port: Any, outputs: dict[str, Any]) -> Any:
        defaults = [other.name for other in self.workflow.nodes[node].outputs if other.default]
        if port.default:
            return outputs.get(port.name, ABSENT)
        first = outputs.get(defaults[0]) if defaults else None
        if isinstance(first, dict) and port.name in first:
            return first[port.name]
        value: Any = outputs
        for part in port.name.split("."):
            if not isinstance(value, dict) or part not in value:
                return ABSENT
            value = value[part]
        return value

    @staticmethod
    def deliver(part: Part, node: str, name: str, value: Any) -> None:
        held = part.inputs.setdefault(node, {})
        if name not in held:
            held[name] = value
        elif isinstance(held[name], list):
            held[name] = [*held[name], value]
        else:
            held[name] = [held[name], value]

    def end_loop(self, part: Part, node: str, inputs: dict[str, Any], key: str) -> None:
        items = self.items(inputs)
        if isinstance(items, str):
            self.apply(part, node, {"_error": items})
            return
        body = self.body(node)
        rounds = []
        results = []
        for index, item in enumerate(items):
            allowed = body if part.allowed is None else body & part.allowed
            round_ = Part(f"{key}[{index}]/", part, allowed)
            self.fire(round_, node, {"Loop": item})
            self.finish(round_)
            results += [self.envelope(leaf, outputs) for leaf, outputs in round_.leaves]
            rounds.append(round_)
        for round_ in rounds:
            part.failures += round_.failures
            for left, values in round_.inputs.items():
                self.in_loops.discard(left)
                for name, value in values.items():
                    self.deliver(part, left, name, value)
                if not self.missing(part, left) and (part.allowed is None or left in part.allowed):
                    part.ready.add(left)
        self.apply(part, node, self.collect(node, results))

    @staticmethod
    def items(inputs: dict[str, Any]) -> list[Any] | str:
        """The items, or what is wrong."""
        value = inputs.get("Input")
        if isinstance(value, str):
            return [item.strip() for item in value.split(",")] if value.strip() else []
        if isinstance(value, dict):
            return list(value.values())
        if isinstance(value, int | float):
            return [value]
        return value if isinstance(value, list) else f"ForEach cannot go through {kind_of(value)}"

    def collect(self, node: str, results: list[dict[str, Any]]) -> dict[str, Any]:
        format_ = self.workflow.nodes[node].data.get("format", "full")
        if format_ == "full":
            return {"Result": results}
        bare = [result["result"] for result in results]
        if format_ == "minimal":
            return {"Result": bare}
        flat: list[Any] = []
        for result in bare:
            values = [value for name, value in result.items() if name != "_error"]
            flat += values if values or "_error" not in result else [result]
        while any(isinstance(value, list) for value in flat):
            flat = [inner for value in flat for inner in (value if isinstance(value, list) else [value])]
        return {"Result": flat}

    def envelope(self, node: str, outputs: dict[str, Any]) -> dict[str, Any]:
        return {"id": node, "name": self.workflow.nodes[node].type, "result": dict(outputs)}

    def missing(self, part: Part, node: str) -> set[str]:
        """Linked inputs that are not optional, and have no value here or around."""
        needed = {
            self.input_name(link)
            for link in self.workflow.links
            if link.target == node and not self.workflow.nodes[node].inputs[link.input].optional
        }
        return needed - part.inputs.get(node, {}).keys() - part.outer(node).keys()

    def is_loop(self, node: str) -> bool:
        return self.workflow.nodes[node].type == "ForEach"

    def body(self, node: str) -> set[str]:
        """What follows the items of a loop, as far as the loop itself."""
        if not self.is_loop(node):
            return set()
        ports = self.workflow.nodes[node].outputs
        starts = [link.target for link in self.links(node) if ports[link.output].name == "Loop"]
        return self.reach(starts, without=node)

    def reach(self, starts: Iterable[str], *, without: str) -> set[str]:
        """These nodes and all that follow them."""
        found: set[str] = set()
        for start in starts:
            found |= self._reach(start, found, without)
        return found

    def _reach(self, start: str, found: set[str], without: str) -> set[str]:
        if start == without or start in found:
            return found
        found.add(start)
        for link in self.links(start):
            self._reach(link.target, found, without)
        return found

    def links(self, node: str) -> list[Link]:
        return [link for link in self.workflow.links if link.source == node]

    def input_name(self, link: Link) -> str:
        return self.workflow.nodes[link.target].inputs[link.input].name
