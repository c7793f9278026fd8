"""What the graph engine costs: a chain of nodes, a fan-out, and a loop over many items."""

import asyncio
import time
import tracemalloc
from collections.abc import Mapping
from typing import Any

from benchmarks.bench import Bench
from benchmarks.result import Bar, Row
from sre_core.components import Component, ComponentContext, InputPort, Node, OutputPort, Request
from sre_core.components.flow.for_each import ForEach
from sre_core.testing.bench import bench as workbench
from sre_core.workflows.engine import run
from sre_core.workflows.graph import Link, Workflow
from sre_core.workflows.plan import Plan

__all__ = ["measure"]

_CHAINS = (10, 1000, 10_000)
_FAN_OUT = 1000
_ITEMS = 100_000


class Pass(Component):
    """Gives what it gets: the cheapest node that there can be."""

    name = "Pass"
    inputs = (InputPort(name="In"),)
    outputs = (OutputPort(name="Out", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The input."""
        return {"Out": inputs.get("In")}


_TYPES: Mapping[str, type[Component]] = {"Pass": Pass, "ForEach": ForEach}


def measure(bench: Bench) -> list[Row]:
    """Microseconds of CPU time for one node or item, the best of the rounds; memory in bytes for one item."""
    found = asyncio.run(_measure(bench.count(20), bench.count(_ITEMS)))
    chain = {count: found[f"chain of {count:,}"] for count in _CHAINS}
    fewer = found["bytes of a tenth"]
    flat = chain[_CHAINS[-1]] / chain[_CHAINS[0]]
    return [
        Row(
            name="graph: a node in a chain of 1,000",
            unit="CPU µs",
            samples={"ours": [chain[1000]], "bare": [found["bare call"]]},
            bars=(
                Bar(against="1 µs", ratio=chain[1000], bar=60),
                Bar(against="a node in a chain of 10, of 10,000", ratio=flat, bar=1.2),
            ),
        ),
        Row(
            name="graph: a node in a fan-out of 1,000",
            unit="CPU µs",
            samples={"ours": [found["fan-out"]]},
            bars=(Bar(against="1 µs", ratio=found["fan-out"], bar=60),),
        ),
        Row(
            name="graph: an item of a ForEach over 100,000",
            unit="CPU µs",
            samples={"ours": [found["item"]]},
            bars=(
                Bar(against="1 µs", ratio=found["item"], bar=100),
                Bar(against="an item of a tenth of them", ratio=found["item"] / found["item of a tenth"]),
            ),
        ),
        Row(
            name="graph: memory for an item of a ForEach",
            unit="bytes",
            samples={"ours": [found["bytes"]]},
            bars=(Bar(against="an item of a tenth of them", ratio=found["bytes"] / fewer, bar=1.2),),
        ),
    ]


async def _measure(rounds: int, items: int) -> Mapping[str, float]:
    found: dict[str, float] = {}
    async with workbench() as place:
        # The bench's own context keeps every event; this one is heard by nobody.
        context = place.host.context(Request())
        for count in _CHAINS:
            plan = Plan(_chain(count), _TYPES.__getitem__)
            found[f"chain of {count:,}"] = await _best(plan, {"In": 1}, context, count, rounds)
        node = Plan(_chain(1), _TYPES.__getitem__).stations["N0"].component
        assert node is not None
        began = time.process_time()
        for _ in range(10_000):
            await node.run({"In": 1}, context)
        found["bare call"] = (time.process_time() - began) * 100
        found["fan-out"] = await _best(Plan(_fan_out(), _TYPES.__getitem__), {"In": 1}, context, _FAN_OUT, rounds)
        loop = Plan(_loop(), _TYPES.__getitem__)
        for name, count in ((" of a tenth", items // 10), ("", items)):
            values = {"In": list(range(count))}
            found["item" + name] = await _best(loop, values, context, count, 3)
            found["bytes" + name] = await _peak(loop, values, context) / count
    return found


async def _best(plan: Plan, inputs: Mapping[str, Any], context: ComponentContext, count: int, rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        outcome = await run(plan, "N0", context, inputs=inputs)
        best = min(best, (time.process_time() - began) / count * 1e6)
        assert outcome.has_result
    return best


async def _peak(plan: Plan, inputs: Mapping[str, Any], context: ComponentContext) -> int:
    """The most that Python had allocated during a run, above what it had before."""
    tracemalloc.start()
    try:
        await run(plan, "N0", context, inputs=inputs)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _node(id_: str, kind: str = "Pass", **data: Any) -> Node:
    cls = _TYPES[kind]
    return Node(id=id_, type=kind, inputs=cls.inputs, outputs=cls.outputs, data=data)


def _link(source: str, target: str) -> Link:
    return Link(source=source, output=0, target=target, input=0)


def _workflow(nodes: list[Node], links: list[Link]) -> Workflow:
    return Workflow(id="w", nodes={node.id: node for node in nodes}, links=tuple(links))


def _chain(count: int) -> Workflow:
    nodes = [_node(f"N{number}") for number in range(count)]
    return _workflow(nodes, [_link(f"N{number}", f"N{number + 1}") for number in range(count - 1)])


def _fan_out() -> Workflow:
    nodes = [_node(f"N{number}") for number in range(_FAN_OUT + 1)]
    return _workflow(nodes, [_link("N0", f"N{number}") for number in range(1, _FAN_OUT + 1)])


def _loop() -> Workflow:
    nodes = [_node("N0"), _node("EACH", "ForEach", format="results-array"), _node("BODY")]
    return _workflow(nodes, [_link("N0", "EACH"), _link("EACH", "BODY")])
