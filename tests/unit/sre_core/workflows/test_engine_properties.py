"""Random workflows do in the engine what they do in the reference, whatever ends first."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sre_core.errors import LimitExceededError
from sre_core.workflows.graph import Workflow
from sre_core.workflows.limits import WorkflowLimits
from sre_core.workflows.outcome import Outcome
from tests.unit.sre_core.workflows import graphs
from tests.unit.sre_core.workflows.reference import Circle, Reference, Result, TooMuch

LIMIT = 3
"""So often may one node run: circles shall end soon."""


def mix(id_: str, inputs: dict[str, Any]) -> int:
    """A number that hangs on everything that a node got."""
    return crc32(f"{id_}{json.dumps(inputs, sort_keys=True)}".encode())


def toy(id_: str, kind: str) -> Any:
    """A node whose outputs are decided by its inputs, in one of many ways."""

    def function(inputs: dict[str, Any]) -> Any:
        number = mix(id_, inputs)
        text = f"{id_}{number % 1000}"
        if kind == "raise" or (kind == "sometimes" and number % 2):
            raise ValueError(text)
        return {
            "value": {"Output": {"v": text}},
            "sometimes": {"Output": {"v": text}},
            "text": {"Output": text},
            "branch": {"Output": {"v" if number % 2 else "w": text}},
            "nothing": None,
            "null": {"Output": None},
            "error": {"_error": text},
            "beside": {"Output": {"v": text}, "_error": text},
            "list": {"Output": [text, None, [text]][: number % 4]},
        }[kind]

    return graphs.call(function)


PORTS = {
    "ForEach": ["Loop", "Loop", "Loop", "Result", "Result", "_error"],
    "value": ["Output", "v", "Output.v", "Output", "w"],
    "sometimes": ["Output", "v", "_error"],
    "text": ["Output"],
    "branch": ["v", "w", "Output"],
    "null": ["Output"],
    "error": ["_error", "Output"],
    "raise": ["_error", "Output"],
    "beside": ["Output", "v", "_error"],
    "list": ["Output"],
    "nothing": ["Output"],
}
"""Of each kind of node, the ports that links begin at; those that give something stand more than once."""

KINDS = ["ForEach"] * 6 + ["value"] * 4 + ["list"] * 3 + ["branch", "text", "sometimes", "beside"] + sorted(PORTS)


@st.composite
def workflows(draw: st.DrawFn, *, circles: bool) -> Workflow:
    """Every node has a link from an earlier one, and there are some more, with `circles` also backwards."""
    size = draw(st.integers(3, 9))
    kinds = ["list", *draw(st.lists(st.sampled_from(KINDS), min_size=size - 1, max_size=size - 1))]
    ids = [f"N{number}" for number in range(size)]
    optional = draw(st.sets(st.tuples(st.sampled_from(ids), st.sampled_from(["a", "b", "Input"]))))
    links = []

    def link(source: int, target: int) -> None:
        port = draw(st.sampled_from(PORTS[kinds[source]]))
        name = "Input" if kinds[target] == "ForEach" else draw(st.sampled_from(["a", "a", "b"]))
        mark = "?" if (ids[target], name) in optional else ""
        links.append(f"{ids[source]}.{port} > {ids[target]}.{name}{mark}")

    for target in range(1, size):
        link(draw(st.integers(max(0, target - 3), target - 1)), target)
    for _ in range(draw(st.integers(0, size + 2))):
        source = draw(st.integers(0, size - 1 if circles else size - 2))
        link(source, draw(st.integers(0 if circles else source + 1, size - 1)))
    nodes = {id_: _node(draw, id_, kind) for id_, kind in zip(ids, kinds, strict=True)}
    # Only the order in the file may count, which is not that of the links.
    return graphs.workflow(",".join(links), **{id_: nodes[id_] for id_ in ["N0", *draw(st.permutations(ids[1:]))]})


def _node(draw: st.DrawFn, id_: str, kind: str) -> tuple[str, Any, Any]:
    if kind == "ForEach":
        format_ = draw(st.sampled_from(["full", "minimal", "results-array"]))
        return graphs.node("ForEach", format=format_, parallel=draw(st.sampled_from([1, 2, 5])))
    return graphs.give(["one", None, ["two", "three"]]) if id_ == "N0" else toy(id_, kind)


class Running:
    """A bench that lives in a loop of its own, for tests that Hypothesis calls many times."""

    def __init__(self, runner: asyncio.Runner, bench: graphs.Bench) -> None:
        self.runner = runner
        self.bench = bench

    def run(self, flow: Workflow, steps: Any = None) -> Outcome:
        async def work() -> Outcome:
            before = asyncio.all_tasks()
            try:
                limits = WorkflowLimits(runs=LIMIT)
                return await self.bench.run(flow, {"a": "start"}, steps=steps, limits=limits)
            finally:
                assert asyncio.all_tasks() == before

        return self.runner.run(work())


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield Running(runner, runner.run(stack.enter_async_context(graphs.bench())))
        runner.run(stack.aclose())


def expected(flow: Workflow) -> Result | None:
    """What the reference says; None for a circle."""
    try:
        return Reference(flow, limit=LIMIT).run("N0", {"a": "start"})
    except Circle:
        return None
    except TooMuch:
        assume(False)
        raise


def plain(outcome: Outcome) -> Result:
    return Result(
        data=outcome.data,
        failures=[(failure.node_id, failure.message, failure.step) for failure in outcome.failures],
        waiting=[(waiting.node_id, set(waiting.missing)) for waiting in outcome.waiting],
        has_result=outcome.has_result,
    )


def check(running: Running, flow: Workflow, steps: Any = None) -> None:
    wanted = expected(flow)
    if wanted is None:
        with pytest.raises(LimitExceededError):
            running.run(flow, steps)
    else:
        assert plain(running.run(flow, steps)) == wanted


examples = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@examples
@given(flow=workflows(circles=False))
def test_a_workflow_without_circles_does_what_the_reference_does(running: Running, flow: Workflow) -> None:
    check(running, flow)


@examples
@given(flow=workflows(circles=True))
def test_a_workflow_with_circles_does_what_the_reference_does(running: Running, flow: Workflow) -> None:
    check(running, flow)


@examples
@given(flow=workflows(circles=True), seed=st.integers(0, 2**32))
def test_it_does_not_matter_what_ends_first(running: Running, flow: Workflow, seed: int) -> None:
    check(running, flow, graphs.Shuffled(seed))


@examples
@given(flow=workflows(circles=True))
def test_a_run_does_the_same_again(running: Running, flow: Workflow) -> None:
    assume(expected(flow) is not None)
    assert running.run(flow) == running.run(flow)


@examples
@given(flow=workflows(circles=True), seed=st.integers(0, 2**32))
def test_a_replay_runs_nothing_again_and_ends_the_same(running: Running, flow: Workflow, seed: int) -> None:
    assume(expected(flow) is not None)
    recorder = graphs.Recorder()
    first = running.run(flow, recorder)
    replay = graphs.Replay(recorder.results)

    assert running.run(flow, replay) == first
    assert sorted(replay.keys) == sorted(recorder.results)
    # One after another, where nothing ran at once.
    if all(node.data.get("parallel", 1) == 1 for node in flow.nodes.values()):
        assert replay.keys == list(recorder.results)
    assert running.run(flow, graphs.Shuffled(seed)) == first
