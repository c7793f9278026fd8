"""Loops in a workflow: a round of the body for each item, and what comes out at the end."""

import asyncio
from typing import Any

import pytest
from anyio import fail_after

from sre_core.errors import ComponentError, LimitExceededError
from sre_core.events import StepFinished, StepStarted
from sre_core.workflows.limits import WorkflowLimits
from tests.unit.sre_core.workflows.graphs import Recorder, Replay, Shuffled, bench, call, give, keep, node, workflow

LOOP = node("ForEach", format="results-array")
SIDE_BY_SIDE = node("ForEach", format="results-array", parallel=4)
BOTH = pytest.mark.parametrize("loop", [LOOP, SIDE_BY_SIDE], ids=["one by one", "side by side"])


def double(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"Output": inputs["x"] * 2}


async def outcome_of(flow: Any, inputs: Any = None, **more: Any) -> Any:
    async with bench() as b:
        with fail_after(60):
            return await b.run(flow, inputs, **more)


async def end_of(flow: Any, **more: Any) -> Any:
    """What the last node, `Z`, got at `x`."""
    outcome = await outcome_of(flow, **more)
    assert outcome.data["id"] == "Z", outcome
    return outcome.data["result"]["Output"]["x"]


def through(items: Any, loop: Any, body: Any = None) -> Any:
    links = "E > L.Input, L.Loop > A.x, L.Result > Z.x"
    return workflow(links, E=give(items), L=loop, A=body or call(lambda inputs: {"Output": inputs["x"]}), Z=keep())


@BOTH
async def test_the_body_runs_once_for_each_item_and_results_keep_their_order(loop: Any) -> None:
    assert await end_of(through([1, 2, 3], loop, call(double)), steps=Shuffled(1)) == [2, 4, 6]


@BOTH
async def test_a_thousand_items_are_no_circle(loop: Any) -> None:
    assert await end_of(through(list(range(1000)), loop)) == list(range(1000))


@BOTH
async def test_an_empty_list_gives_an_empty_result(loop: Any) -> None:
    assert await end_of(through([], loop)) == []


@BOTH
async def test_none_and_other_empty_items_are_items_like_any_other(loop: Any) -> None:
    assert await end_of(through([None, 0, "", False], loop)) == [None, 0, "", False]


@BOTH
async def test_a_failed_item_gives_its_error_and_the_others_go_on(loop: Any) -> None:
    def picky(inputs: dict[str, Any]) -> Any:
        if inputs["x"] == 2:
            raise ComponentError("not two")
        return {"Output": inputs["x"]}

    outcome = await outcome_of(through([1, 2, 3], loop, call(picky)), steps=Shuffled(2))

    assert outcome.data["result"]["Output"]["x"] == [1, {"_error": "not two"}, 3]
    assert [str(failure) for failure in outcome.failures] == ["The A (A): not two"]
    assert outcome.failures[0].step == "L#0[1]/A#0"


async def test_failures_of_rounds_are_told_in_the_order_of_the_items_whatever_ends_first() -> None:
    def fail(inputs: dict[str, Any]) -> Any:
        raise ComponentError(str(inputs["x"]))

    links = "E > L.Input, E > M.Input, L.Loop > A.x, M.Loop > B.x"
    flow = workflow(links, E=give(list(range(5))), L=SIDE_BY_SIDE, M=SIDE_BY_SIDE, A=call(fail), B=call(fail))
    for seed in range(5):
        outcome = await outcome_of(flow, steps=Shuffled(seed))
        assert [f"{failure.node_id}{failure.message}" for failure in outcome.failures] == [
            f"{id_}{number}" for id_ in "AB" for number in range(5)
        ]


async def test_the_error_of_an_item_can_be_caught_in_the_body() -> None:
    links = "E > L.Input, L.Loop > A.x, A._error > B.x, L.Result > Z.x"
    nodes = {"A": call(lambda _: {"_error": "no"}), "B": call(lambda inputs: {"Output": f"caught {inputs['x']}"})}
    flow = workflow(links, E=give([1]), L=LOOP, **nodes, Z=keep())
    outcome = await outcome_of(flow)

    assert outcome.data["result"]["Output"]["x"] == ["caught no"]
    assert outcome.failures == ()


async def test_a_loop_that_cannot_go_through_its_input_fails_like_any_node() -> None:
    outcome = await outcome_of(through(None, LOOP))

    assert outcome.data == {"id": "L", "name": "ForEach", "result": {"_error": "ForEach cannot go through null"}}
    assert [failure.step for failure in outcome.failures] == ["L#0"]


async def test_a_port_that_leads_into_the_items_begins_the_body_too() -> None:
    links = "E > L.Input, L.Loop.name > A.x, L.Result > Z.x"
    flow = workflow(links, E=give([{"name": "n1"}, {"other": 1}, {"name": "n2"}]), L=LOOP, A=call(double), Z=keep())

    assert await end_of(flow) == ["n1n1", "n2n2"]


async def test_a_loop_without_a_body_gives_no_results() -> None:
    assert await end_of(workflow("E > L.Input, L.Result > Z.x", E=give([1, 2]), L=LOOP, Z=keep())) == []


async def test_a_round_has_the_results_of_all_its_leaves() -> None:
    links = "E > L.Input, L.Loop > A.x, L.Loop > B.x, L.Result > Z.x"
    flow = workflow(links, E=give([1, 2]), L=LOOP, A=call(double), B=keep(), Z=keep())

    assert await end_of(flow) == [2, {"x": 1}, 4, {"x": 2}]


@BOTH
async def test_loops_nest(loop: Any) -> None:
    links = "E > L.Input, L.Loop > I.Input, I.Loop > A.x, I.Result > B.x, L.Result > Z.x"
    total = call(lambda inputs: {"Output": sum(inputs["x"])})
    flow = workflow(links, E=give([[1, 2], [], [3]]), L=loop, I=loop, A=call(double), B=total, Z=keep())

    assert await end_of(flow, steps=Shuffled(3)) == [6, 0, 6]


@BOTH
async def test_the_body_sees_values_from_outside_in_every_round(loop: Any) -> None:
    links = "E > S.x, S > A.more, E > L.Input, L.Loop > A.x, L.Result > Z.x"
    nodes = {"E": give([1, 2]), "S": give("seen"), "L": loop, "A": keep(), "Z": keep()}
    seen = [{"more": "seen", "x": 1}, {"more": "seen", "x": 2}]

    assert await end_of(workflow(links, **nodes), steps=Shuffled(4)) == seen
    # Wherever the nodes stand in the file.
    assert await end_of(workflow(links, **dict(reversed(nodes.items()))), entry="E") == seen


async def test_what_a_round_brings_stands_in_place_of_what_the_surroundings_hold() -> None:
    links = "E > S.x, S > A.x, E > L.Input, L.Loop > A.x, L.Loop > A.y, L.Result > Z.x"
    flow = workflow(links, E=give([1]), S=give("outside"), L=LOOP, A=keep(), Z=keep())

    assert await end_of(flow) == [{"x": 1, "y": 1}]


async def test_what_only_the_end_of_the_loop_completes_runs_then_with_what_all_rounds_brought() -> None:
    links = "E > L.Input, L.Loop > A.x, A > Z.each, L.Result > Z.all"
    flow = workflow(links, E=give([1, 2, 3]), L=LOOP, A=call(double), Z=keep())
    outcome = await outcome_of(flow)

    assert outcome.data["result"]["Output"] == {"each": [2, 4, 6], "all": []}


async def test_a_node_of_the_body_that_waits_for_what_never_comes_is_reported() -> None:
    links = "E > L.Input, L.Loop > A.x, E.never > A.y"
    outcome = await outcome_of(workflow(links, E=give([1, 2]), L=LOOP, A=keep()))

    assert [str(waiting) for waiting in outcome.waiting] == ["The A (A) waits for 'y' from The E (Call E)"]


async def test_what_the_body_holds_from_outside_after_the_last_round_is_not_waiting() -> None:
    links = "E > S.x, S > A.more, E > L.Input, L.Loop > A.x, L.Result > Z.x"
    for items in ([1, 2], []):
        flow = workflow(links, E=give(items), S=give(1), L=LOOP, A=keep(), Z=keep())
        assert (await outcome_of(flow)).waiting == ()


async def test_two_loops_go_on_side_by_side() -> None:
    here = [asyncio.Event(), asyncio.Event()]

    async def meet(mine: int) -> Any:
        here[mine].set()
        await here[1 - mine].wait()
        return {"Output": mine}

    links = "E > L.Input, E > M.Input, L.Loop > A.x, M.Loop > B.x, L.Result > Z.x, M.Result > Z.x"
    bodies = {"A": call(lambda _: meet(0)), "B": call(lambda _: meet(1))}
    flow = workflow(links, E=give([1]), L=LOOP, M=LOOP, **bodies, Z=keep())

    assert await end_of(flow) == [0, [1]]


async def test_a_loop_waits_while_a_node_of_its_body_is_busy_outside_of_it() -> None:
    links = "E > L.Input, E > A.x, L.Loop > A.x, A > B.y, L.Loop > B.x, L.Result > Z.x"
    flow = workflow(links, E=give([1, 2]), L=LOOP, A=keep(), B=keep(), Z=keep())
    wanted = await outcome_of(flow)

    for seed in range(5):
        assert await outcome_of(flow, steps=Shuffled(seed)) == wanted


async def test_what_the_body_sends_back_to_its_loop_is_its_next_list() -> None:
    links = "E > L.Input, L.Loop > A.x, A.smaller > L.Input, L.Result > Z.x?"
    flow = workflow(
        links, E=give([3, 1]), L=LOOP, A=call(lambda i: {"smaller": i["x"] - 1} if i["x"] > 1 else {}), Z=keep()
    )
    recorder = Recorder()
    outcome = await outcome_of(flow, steps=recorder)

    assert "L#0[1]/A#0" in recorder.results
    assert recorder.results["L#1[0]/A#0"]["outputs"] == {"smaller": 1}
    assert recorder.results["L#2[0]/A#0"]["outputs"] == {}
    assert not outcome.failures


async def test_a_body_that_always_sends_something_back_reaches_the_limit() -> None:
    links = "E > L.Input, L.Loop > A.x, A > L.Input, L.Result > Z.x"
    with pytest.raises(LimitExceededError, match="The L"):
        await outcome_of(workflow(links, E=give([1]), L=LOOP, A=give([1]), Z=keep()), limits=WorkflowLimits(runs=5))


async def test_a_circle_through_two_nested_loops_reaches_the_limit_and_nests_no_deeper() -> None:
    links = "E > L.Input, L.Loop > I.Input, I.Loop > A.x, A > L.Input"
    flow = workflow(links, E=give([[1], [2]]), L=LOOP, I=LOOP, A=give([[1]]))
    with pytest.raises(LimitExceededError, match="The L"):
        await outcome_of(flow, limits=WorkflowLimits(runs=20))


async def test_what_follows_the_end_of_a_loop_is_no_part_of_its_body_though_the_body_leads_back() -> None:
    links = "E > L.Input, L.Loop > A.x, A.never > L.Input, L.Result > B.x, E.never > B.y"
    outcome = await outcome_of(workflow(links, E=give([1]), L=LOOP, A=keep(), B=keep()))

    assert [waiting.node_id for waiting in outcome.waiting] == ["B"]


async def test_a_replay_of_a_loop_runs_nothing_again() -> None:
    recorder = Recorder()
    flow = through([1, 2, 3], SIDE_BY_SIDE, call(double))
    first = await outcome_of(flow, steps=recorder)
    replay = Replay(recorder.results)

    assert await outcome_of(flow, steps=replay) == first
    assert replay.keys == list(recorder.results)


async def test_a_loop_tells_of_its_beginning_before_its_rounds_and_of_its_end_after_them() -> None:
    async with bench() as b:
        await b.run(through([1], LOOP), is_heard=True)
        told = [(type(event), event.step) for event in b.events if isinstance(event, StepStarted | StepFinished)]

    assert told[2:6] == [
        (StepStarted, "L#0"),
        (StepStarted, "L#0[0]/A#0"),
        (StepFinished, "L#0[0]/A#0"),
        (StepFinished, "L#0"),
    ]


def broken(_: Any) -> Any:
    raise ComponentError("broken")


@pytest.mark.parametrize(
    ("part", "function", "message"),
    [
        ("items", broken, "broken"),
        ("items", lambda _: 5, "returned int, and not a list of its items"),
        ("items", lambda _: None, "returned NoneType, and not a list of its items"),
        ("without_loop", broken, "broken"),
        ("without_loop", lambda _: 5, "returned int, and not its outputs by name"),
        ("item_outputs", broken, "broken"),
        ("item_outputs", lambda _: 5, "returned int, and not its outputs by name"),
        ("collect", broken, "broken"),
        ("collect", lambda _: 1 / 0, "ZeroDivisionError: division by zero"),
        ("collect", lambda _: None, "returned NoneType, and not its outputs by name"),
    ],
)
async def test_a_loop_of_somebody_else_that_breaks_is_a_failed_node(part: str, function: Any, message: str) -> None:
    links = "E > L.Input, L.Loop > A.x, L.Result > B.x, L._error > C.x"
    odd = node("Odd", **{part: function})
    outcome = await outcome_of(workflow(links, E=give([1]), L=odd, A=keep(), B=keep(), C=keep()))

    assert outcome.data["id"] == "C"
    assert outcome.data["result"]["Output"]["x"].endswith(message)


async def test_a_loop_may_say_that_these_items_need_none() -> None:
    links = "E > L.Input, L.Loop > A.x, L.Result > B.x"
    odd = node("Odd", without_loop=lambda items: {"Loop": items[0]} if len(items) == 1 else None)

    assert (await outcome_of(workflow(links, E=give([7]), L=odd, A=keep(), B=keep()))).data == {
        "id": "A",
        "name": "Call",
        "result": {"Output": {"x": 7}},
    }
