"""What runs when, and what becomes of it: the rules of the engine, one by one."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from anyio import fail_after

from sre_core.components.compat import Compat
from sre_core.components.context import Request
from sre_core.components.node import InputPort
from sre_core.errors import LimitExceededError
from sre_core.events import StepFinished, StepStarted
from sre_core.testing import bench as benches
from sre_core.workflows import engine
from sre_core.workflows.limits import WorkflowLimits
from sre_core.workflows.plan import Plan
from tests.unit.sre_core.workflows.graphs import Recorder, bench, call, find, give, keep, node, workflow


def result(id_: str, output: Any) -> dict[str, Any]:
    return {"id": id_, "name": "Call", "result": {"Output": output}}


async def outcome_of(flow: Any, inputs: Any = None, **more: Any) -> Any:
    async with bench(more.pop("compat", None)) as b:
        return await b.run(flow, inputs, **more)


async def test_the_entry_gets_what_the_run_is_given() -> None:
    outcome = await outcome_of(workflow(E=keep()), {"a": 1})

    assert outcome.data == result("E", {"a": 1})
    assert (outcome.has_result, outcome.steps, outcome.failures, outcome.waiting) == (True, 1, (), ())


async def test_without_inputs_of_its_own_a_run_takes_those_of_the_request() -> None:
    async with benches.bench(request=Request(body={"a": 2})) as b:
        outcome = await engine.run(Plan(workflow(E=keep()), find), "E", b.context)

    assert outcome.data == result("E", {"a": 2})


async def test_a_run_cannot_begin_at_a_node_that_does_not_exist() -> None:
    with pytest.raises(KeyError):
        await outcome_of(workflow(E=keep()), entry="F")


@pytest.mark.parametrize("value", [None, False, 0, "", [], {}])
async def test_an_empty_value_fires(value: Any) -> None:
    outcome = await outcome_of(workflow("E > A.x", E=give(value), A=keep()))

    assert outcome.data == result("A", {"x": value})


async def test_an_output_that_is_absent_does_not_fire() -> None:
    flow = workflow("E.yes > A.x, E.no > B.x", E=call(lambda _: {"yes": 1}), A=keep(), B=keep())

    assert (await outcome_of(flow)).data == result("A", {"x": 1})


async def test_a_port_of_the_author_is_looked_for_in_the_first_default_port_and_then_as_a_path() -> None:
    links = "E.city > A.x, E.Output.places[1].name > A.y, E.beside > A.z, E.Output.nowhere > B.x"
    given = {"Output": {"city": "Ulm", "places": [{}, {"name": "Minster"}]}, "beside": True}
    flow = workflow(links, E=call(lambda _: given), A=keep(), B=keep())

    assert (await outcome_of(flow)).data == result("A", {"x": "Ulm", "y": "Minster", "z": True})


async def test_several_values_for_one_input_become_a_list_and_a_list_takes_them_in() -> None:
    links = "E > A.x, E > B.x, E > C.x, A.Output > D.one, B > D.one, C > D.one, A > D.two"
    flow = workflow(links, E=give(0), A=give([1]), B=give([2]), C=give(3), D=keep())

    assert (await outcome_of(flow)).data == result("D", {"one": [1, [2], 3], "two": [1]})


async def test_a_node_waits_for_all_its_linked_inputs_but_the_optional_ones() -> None:
    links = "E > A.x, E > B.x, A > C.x, B > C.y, E.never > C.z?"
    flow = workflow(links, E=give(0), A=give(1), B=call(lambda _: {"Output": 2}), C=keep())

    assert (await outcome_of(flow)).data == result("C", {"x": 1, "y": 2})


async def test_an_input_without_a_link_is_never_waited_for_and_takes_its_default() -> None:
    ports = {
        "y": InputPort(name="y", default="four"),
        "n": InputPort(name="n"),
        "x": InputPort(name="x", type="Number"),
    }
    flow = workflow("E > A.x", E=give("12"), A=keep(inputs=ports))

    assert (await outcome_of(flow)).data == result("A", {"x": 12, "y": "four"})


async def test_nodes_that_wait_in_vain_are_reported_with_what_they_lack_and_from_whom() -> None:
    links = "E > A.x, E.never > A.y, B > A.y, E.never > B.x"
    outcome = await outcome_of(workflow(links, E=give(1), A=keep(), B=keep()))

    assert (outcome.data, outcome.has_result) == ([], False)
    assert [str(waiting) for waiting in outcome.waiting] == [
        "The A (A) waits for 'y' from The E (Call E) or The B (Call B)"
    ]


async def test_nodes_that_are_ready_together_run_together() -> None:
    here = [asyncio.Event(), asyncio.Event()]

    async def meet(mine: int, other: int) -> Any:
        here[mine].set()
        await here[other].wait()
        return {"Output": mine}

    flow = workflow("E > A.x, E > B.x", E=give(0), A=call(lambda _: meet(0, 1)), B=call(lambda _: meet(1, 0)))
    with fail_after(60):
        outcome = await outcome_of(flow)

    assert outcome.data == [result("A", 0), result("B", 1)]


async def test_results_come_in_the_order_of_the_file_whatever_ends_first() -> None:
    ended = asyncio.Event()

    async def late(_: Any) -> Any:
        await ended.wait()
        return {"Output": "late"}

    def early(_: Any) -> Any:
        ended.set()
        return {"Output": "early"}

    flow = workflow("E > A.x, E > B.x, A > C.x, B > C.x", E=give(0), A=call(late), B=call(early), C=keep())
    with fail_after(60):
        outcome = await outcome_of(flow)

    assert outcome.data == result("C", {"x": ["late", "early"]})


async def test_no_more_nodes_run_at_once_than_the_limit_says() -> None:
    now, most = 0, 0

    async def count(_: Any) -> Any:
        nonlocal now, most
        now += 1
        most = max(most, now)
        for _ in range(3):
            await asyncio.sleep(0)
        now -= 1
        return {"Output": 1}

    many = {f"N{i}": call(count) for i in range(10)}
    flow = workflow(",".join(f"E > {id_}.x" for id_ in many), E=give(0), **many)
    outcome = await outcome_of(flow, limits=WorkflowLimits(parallel=3))

    assert most == 3
    assert len(outcome.data) == 10


async def test_a_node_whose_links_all_lead_nowhere_in_this_run_is_a_result() -> None:
    flow = workflow("E > A.x, A.never > B.x", E=give(1), A=give(2), B=keep())

    assert (await outcome_of(flow)).data == result("A", 2)
    assert (await outcome_of(flow, compat=Compat(static_leaves=True))).data == []


async def test_of_a_node_that_gives_several_results_the_first_counts() -> None:
    flow = workflow("E > A.x, E > B.x, B > A.x", E=give(1), B=give(2), A=keep())

    assert (await outcome_of(flow)).data == result("A", {"x": 1})


async def test_a_circle_goes_on_until_a_link_does_not_fire() -> None:
    def count(inputs: Any) -> Any:
        return {"again" if inputs["x"] < 5 else "done": inputs["x"] + 1}

    flow = workflow("E > A.x, A.again > A.x, A.done > B.x", E=give(0), A=call(count), B=keep())
    outcome = await outcome_of(flow)

    assert (outcome.data, outcome.steps) == (result("B", {"x": 6}), 8)


async def test_a_circle_without_an_end_reaches_the_limit() -> None:
    flow = workflow("E > A.x, A > B.x, B > A.x", E=give(0), A=give(1), B=give(2))

    with pytest.raises(LimitExceededError, match=r"The B \(Call B\) ran 7|The A \(Call A\) ran 7"):
        await outcome_of(flow, limits=WorkflowLimits(runs=7))


async def test_a_circle_that_never_awaits_anything_still_ends_at_the_time_limit() -> None:
    flow = workflow("E > A.x, A > A.x", E=give(0), A=give(1))

    with pytest.raises(LimitExceededError, match=r"its limit of 0.05 seconds"):
        await outcome_of(flow, limits=WorkflowLimits(runs=None, seconds=0.05))


async def test_the_time_limit_ends_what_runs_and_leaves_no_task_behind(skip: Callable[[float], None]) -> None:
    begun, stopped, all_run = [], [], asyncio.Event()

    async def hang(_: Any) -> Any:
        begun.append(1)
        if len(begun) == 4:
            all_run.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(1)

    loop = node("ForEach", parallel=2)
    links = "E > A.x, E > B.x, E > L.Input, L.Loop > C.x"
    flow = workflow(links, E=give([1, 2, 3]), A=call(hang), B=call(hang), L=loop, C=call(hang))
    async with bench() as b:
        before = asyncio.all_tasks()
        run = asyncio.create_task(b.run(flow, limits=WorkflowLimits(seconds=600)))
        await all_run.wait()
        skip(601)
        with pytest.raises(LimitExceededError):
            await run
        assert asyncio.all_tasks() == before
    assert stopped == [1, 1, 1, 1]


async def test_whoever_cancels_a_run_leaves_no_task_behind() -> None:
    begun = asyncio.Event()

    async def hang(_: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    links = "E > A.x, E > B.x, E > L.Input, L.Loop > I.Input, I.Loop > C.x"
    loops = {"L": node("ForEach", parallel=2), "I": node("ForEach", parallel=3)}
    flow = workflow(links, E=give([[1, 2], [3]]), A=call(hang), B=call(hang), C=call(hang), **loops)
    async with bench() as b:
        before = asyncio.all_tasks()
        run = asyncio.create_task(b.run(flow))
        await begun.wait()
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        assert asyncio.all_tasks() == before


async def test_a_limit_that_one_node_reaches_ends_the_others() -> None:
    flow = workflow("E > A.x, E > B.x, B > B.x", E=give(0), A=keep(), B=give(1))

    async with bench() as b:
        before = asyncio.all_tasks()
        with pytest.raises(LimitExceededError):
            await b.run(flow, limits=WorkflowLimits(runs=3))
        assert asyncio.all_tasks() == before


async def test_one_plan_serves_many_runs_at_once_without_mixing_them() -> None:
    async def slow(inputs: Any) -> Any:
        await asyncio.sleep(0)
        return {"Output": inputs["x"]}

    links = (
        "E.Output.n > A.x, E.Output.n > B.x, A > C.x, B > C.y, E.Output.list > L.Input, L.Loop > D.x, L.Result > C.z"
    )
    nodes = {"E": keep(), "A": call(slow), "B": call(slow), "C": keep(), "D": call(slow)}
    plan = Plan(workflow(links, **nodes, L=node("ForEach", format="results-array", parallel=2)), find)
    async with bench() as b:
        outcomes = await asyncio.gather(*(b.run(plan, {"n": n, "list": [n, -n]}) for n in range(20)))

    assert [outcome.data for outcome in outcomes] == [result("C", {"x": n, "y": n, "z": [n, -n]}) for n in range(20)]


async def test_a_run_changes_nothing_in_the_workflow() -> None:
    flow = workflow("E > L.Input, L.Loop > A.x", E=give([1, 2]), L=node("ForEach"), A=keep())
    before = repr(flow)
    await outcome_of(flow)

    assert repr(flow) == before


async def test_a_trigger_enters_an_endpoint_with_what_it_brings() -> None:
    flow = workflow("T > E!, T.other > F!", T=call(lambda _: {"Output": {"a": 1}, "other": 5}), E=keep(), F=keep())

    assert (await outcome_of(flow)).data == [result("E", {"a": 1}), result("F", {"payload": 5})]


async def test_each_step_tells_of_its_beginning_and_its_end() -> None:
    ports = {"x": InputPort(name="x", type="Number")}
    flow = workflow("E > A.x", E=give("5"), A=keep(inputs=ports))
    async with bench() as b:
        await b.run(flow, {"a": 1}, is_heard=True)
        _, _, started, finished = b.events

    assert isinstance(started, StepStarted)
    assert isinstance(finished, StepFinished)
    assert (started.step, started.node_id, started.title, started.inputs) == ("A#0", "A", "The A", {"x": "5"})
    assert (finished.step, finished.outputs, finished.error) == ("A#0", {"Output": {"x": 5}}, "")
    assert finished.seconds > 0


async def test_keys_of_steps_name_the_node_the_time_and_the_round() -> None:
    links = "E > L.Input, L.Loop > A.x, L.Result > B.x, B > C.x, C.again > B.x"
    again = iter([{"again": 1}, {}])
    flow = workflow(links, E=give([1, 2]), L=node("ForEach"), A=keep(), B=keep(), C=call(lambda _: next(again)))
    recorder = Recorder()
    await outcome_of(flow, steps=recorder)

    assert list(recorder.results) == ["E#0", "L#0", "L#0[0]/A#0", "L#0[1]/A#0", "B#0", "C#0", "B#1", "C#1"]


async def test_an_endpoint_of_which_no_link_fires_gives_no_result() -> None:
    flow = workflow("E.body.city > A.x", E=node("APIEndpoint", endpoint="ask"), A=keep())
    nothing = await outcome_of(flow, {"town": "Ulm"})

    assert (nothing.data, nothing.has_result, nothing.steps) == ([], False, 1)
    assert (await outcome_of(flow, {"city": "Ulm"})).data == result("A", {"x": "Ulm"})
    assert (await outcome_of(workflow(E=node("APIEndpoint", endpoint="ask")))).data["id"] == "E"


async def test_a_wide_workflow_runs_all_its_nodes_and_a_deep_one_too() -> None:
    wide = {f"N{i}": keep() for i in range(500)}
    flow = workflow(",".join(f"E > {id_}.x, {id_} > Z.x" for id_ in wide), E=give(0), **wide, Z=keep())
    assert len((await outcome_of(flow)).data["result"]["Output"]["x"]) == 500

    deep = {f"N{i}": call(lambda inputs: {"Output": inputs["x"] + 1}) for i in range(2000)}
    links = ",".join(["E > N0.x", *(f"N{i} > N{i + 1}.x" for i in range(1999))])
    assert (await outcome_of(workflow(links, E=give(0), **deep))).data == result("N1999", 2000)


async def test_a_time_that_ran_out_somewhere_else_is_not_taken_for_the_limit() -> None:
    class Journal:
        async def run(self, key: str, fn: Any) -> Any:
            raise TimeoutError("the journal does not answer")

    with pytest.raises(TimeoutError, match="the journal does not answer"):
        await outcome_of(workflow(E=keep()), steps=Journal(), limits=WorkflowLimits(seconds=60))
