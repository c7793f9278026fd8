"""One step: its inputs made ready, what stands before it, and what a journal keeps of it."""

from collections.abc import Mapping
from typing import Any

import pytest

from sre_core.components.node import InputPort
from sre_core.errors import ComponentError
from sre_core.events import StepFinished
from sre_core.workflows import engine
from sre_core.workflows.plan import Plan, Station
from sre_core.workflows.step import Gate
from tests.unit.sre_core.workflows.graphs import Recorder, Replay, bench, call, find, give, keep, node, raises, workflow


class Watch(Gate):
    """Hears all steps, and gives outputs of its own for some."""

    def __init__(self, **given: Mapping[str, Any]) -> None:
        self.given = given
        self.heard: list[Any] = []

    async def before(self, station: Station, key: str, inputs: dict[str, Any]) -> Mapping[str, Any] | None:
        self.heard.append((key, dict(inputs)))
        inputs.pop("secret", None)
        return self.given.get(station.id)

    async def after(self, station: Station, key: str, outputs: Mapping[str, Any], seconds: float) -> None:
        self.heard.append((key, dict(outputs)))


async def test_a_gate_stands_before_and_after_each_step() -> None:
    gate = Watch()
    async with bench() as b:
        await b.run(workflow("E > A.x", E=give(1), A=keep()), gate=gate)

    assert gate.heard == [("E#0", {}), ("E#0", {"Output": 1}), ("A#0", {"x": 1}), ("A#0", {"Output": {"x": 1}})]


async def test_a_gate_may_change_the_inputs_and_take_the_place_of_a_node() -> None:
    gate = Watch(A={"Output": "given"})
    flow = workflow("E > A.x, E > B.x", E=keep(), A=raises(ComponentError("ran")), B=keep())
    async with bench() as b:
        outcome = await b.run(flow, {"open": 1, "secret": 2}, gate=gate, is_heard=True)
        told = {event.step: event.outputs for event in b.events if isinstance(event, StepFinished)}

    assert [found["result"]["Output"] for found in outcome.data] == ["given", {"x": {"open": 1}}]
    assert told["A#0"] == {"Output": "given"}


async def test_a_gate_hears_of_a_loop_its_items_and_its_end() -> None:
    gate = Watch()
    flow = workflow("E > L.Input, L.Loop > A.x", E=give([7]), L=node("ForEach", format="results-array"), A=give(8))
    async with bench() as b:
        await b.run(flow, gate=gate)

    assert gate.heard[2:] == [
        ("L#0", {"Input": [7]}),
        ("L#0", {"items": [7]}),
        ("L#0[0]/A#0", {"x": 7}),
        ("L#0[0]/A#0", {"Output": 8}),
        ("L#0", {"Result": [8]}),
    ]


async def test_inputs_take_the_type_of_their_port_and_text_in_a_default_is_a_template() -> None:
    ports = {
        "n": InputPort(name="n", type="Number"),
        "list": InputPort(name="list", type="Array", default="a,b"),
        "name": InputPort(name="name", default="in {{city}}"),
        "unset": InputPort(name="unset", default=""),
    }
    async with bench(variables={"city": "Ulm"}) as b:
        outcome = await b.run(workflow("E > A.n", E=give("5"), A=keep(inputs=ports)))

    assert outcome.data["result"]["Output"] == {"n": 5, "list": ["a", "b"], "name": "in Ulm"}


async def test_a_value_that_came_is_never_a_template() -> None:
    text = "{{KEY(token)}} {{name}}"
    async with bench() as b:
        outcome = await b.run(workflow("E > A.x", E=give(text), A=keep(inputs={"x": InputPort(name="x", default="d")})))

    assert outcome.data["result"]["Output"] == {"x": text}


@pytest.mark.parametrize("is_heard", [False, True])
async def test_a_recorded_step_is_told_of_and_not_run(is_heard: bool) -> None:
    ran: list[int] = []

    def count(_: Any) -> Any:
        ran.append(1)
        return {"Output": len(ran)}

    flow = workflow("E > A.x", E=give(1), A=call(count))
    recorder = Recorder()
    async with bench() as b:
        first = await b.run(flow, steps=recorder, is_heard=is_heard)
        again = await b.run(flow, steps=Replay(recorder.results), is_heard=is_heard)
        told = [event.step for event in b.events if isinstance(event, StepFinished)]

    assert (again, ran) == (first, [1])
    assert told == (["E#0", "A#0"] * 2 if is_heard else [])


async def test_the_end_of_a_failed_step_tells_of_its_error() -> None:
    async with bench() as b:
        await b.run(workflow("E > A.x", E=give(1), A=raises(ValueError("broken"))), is_heard=True)
        last = b.events[-1]

    assert isinstance(last, StepFinished)
    assert (last.error, last.outputs) == ("ValueError: broken", {"_error": "ValueError: broken"})


async def test_a_journal_keeps_which_files_a_step_stored_so_that_a_replay_knows_them() -> None:
    async with bench() as b:
        recorder = Recorder()
        context = b.inner.context

        def store(_: Any) -> Any:
            context.stored.add("smythfs://default.team/a1.agent/one.txt")
            return {"Output": 1}

        plan = Plan(workflow("E > A.x", E=give(1), A=call(store)), find)
        await engine.run(plan, "E", context, steps=recorder)
        later = b.host.context(context.request)
        await engine.run(plan, "E", later, steps=Replay(recorder.results))

    assert [*later.stored] == ["smythfs://default.team/a1.agent/one.txt"]
