"""Values that grow while a workflow runs: where they end, and who says so."""

from typing import Any

import pytest
from anyio import fail_after

from sre_core.components.node import InputPort
from sre_core.components.size import MAX_SIZE
from sre_core.events import StepStarted
from tests.unit.sre_core.workflows.graphs import bench, call, give, keep, node, raises, workflow

MEBI = "x" * 2**20
"""A text that is in memory once, however often it is in a list."""
HALF = [MEBI] * 200
"""More than half of the largest size, and quick to look at."""


async def outcome_of(flow: Any, **more: Any) -> Any:
    async with bench() as b:
        with fail_after(60):
            return await b.run(flow, **more)


def only_failure(outcome: Any) -> Any:
    (failure,) = outcome.failures
    assert f"{MAX_SIZE:,}" in failure.message
    assert "32 characters" in failure.hint
    return failure


async def test_lists_that_take_each_other_in_end_with_an_error_that_names_input_and_node() -> None:
    chain = ", ".join(f"N{i} > N{i + 1}.x, N{i} > N{i + 1}.x" for i in range(40))
    pass_on = {f"N{i}": call(lambda inputs: {"Output": inputs["x"]}) for i in range(1, 41)}
    outcome = await outcome_of(workflow(chain, N0=give([MEBI]), **pass_on))

    failure = only_failure(outcome)
    assert "the input 'x' of The N" in failure.message
    assert outcome.data["id"] == failure.node_id


async def test_what_comes_together_counts_anew_each_time_that_a_node_runs() -> None:
    links = "E > A.x, E > A.x, A > B.x, B > A.x, B > A.x"
    runs: list[Any] = []

    def stop(inputs: dict[str, Any]) -> Any:
        runs.append(inputs["x"])
        return {"Output": [MEBI] * 100} if len(runs) < 5 else {}

    outcome = await outcome_of(
        workflow(links, E=give([MEBI] * 100), A=call(lambda inputs: {"Output": len(inputs["x"])}), B=call(stop))
    )

    assert outcome.failures == ()
    assert runs == [101] * 5


async def test_a_node_that_gives_too_much_fails_and_the_others_go_on() -> None:
    twice = call(lambda inputs: {"Output": {"a": inputs["x"], "b": inputs["x"]}})
    outcome = await outcome_of(workflow("E > A.x, E > B.x", E=give(HALF), A=twice, B=call(lambda _: {"Output": "ok"})))

    assert only_failure(outcome).node_id == "A"
    assert {"id": "B", "name": "Call", "result": {"Output": "ok"}} in outcome.data


async def test_of_results_that_are_too_large_together_those_that_fit_are_given() -> None:
    outcome = await outcome_of(workflow("E > A.x, E > B.x", E=give(HALF), A=keep(), B=keep()))
    first, second = outcome.data

    assert first["result"] == {"Output": {"x": HALF}}
    assert second["id"] == "B"
    assert second["result"]["_error"].startswith("the results up to that of The B (Call B) are too large together")


async def test_an_error_can_go_where_a_link_takes_it() -> None:
    twice = call(lambda inputs: {"Output": [inputs["x"]] * 2})
    outcome = await outcome_of(workflow("E > A.x, A._error > B.x", E=give(HALF), A=twice, B=keep()))

    assert outcome.failures == ()
    assert "too large" in outcome.data["result"]["Output"]["x"]


@pytest.mark.parametrize("parallel", [1, 3])
async def test_a_loop_ends_when_its_rounds_give_too_much_together(parallel: int) -> None:
    loop = node("ForEach", parallel=parallel)
    links = "E > L.Input, L.Loop > A.x, L.Result > Z.x, L._error > F.x"
    outcome = await outcome_of(workflow(links, E=give(list(range(1000))), L=loop, A=give(HALF), Z=keep(), F=keep()))

    assert outcome.data["id"] == "F"
    assert outcome.data["result"]["Output"]["x"].startswith("what the rounds of The L (ForEach L) leave is too large")


async def test_a_loop_ends_when_its_rounds_leave_too_much_for_what_waits() -> None:
    links = "E > L.Input, L.Loop > A.x, A > W.x, L.Result > W.y"
    outcome = await outcome_of(workflow(links, E=give(list(range(1000))), L=node("ForEach"), A=give(HALF), W=keep()))

    assert only_failure(outcome).node_id == "L"


async def test_a_loop_over_lists_that_it_makes_longer_comes_to_an_end() -> None:
    loop = node("ForEach", format="results-array")
    links = "E > L.Input, L.Loop > A.x, L.Result > L.Input"
    twice = call(lambda inputs: {"Output": [inputs["x"]] * 2})
    outcome = await outcome_of(workflow(links, E=give([MEBI] * 20), L=loop, A=twice))

    assert only_failure(outcome).node_id == "L"


async def test_a_node_of_a_loop_that_waits_for_too_much_fails_in_each_round() -> None:
    links = "E > L.Input, E > T.x, T > A.y, T > A.y, L.Loop > A.x, L.Result > Z.x"
    outcome = await outcome_of(workflow(links, E=give([1, 2]), L=node("ForEach"), T=give(HALF), A=keep(), Z=keep()))

    assert [failure.step for failure in outcome.failures] == ["L#0[0]/A#0", "L#0[1]/A#0"]
    assert all("the input 'y'" in failure.message for failure in outcome.failures)


async def test_what_is_told_of_a_node_never_has_what_was_too_large() -> None:
    async with bench() as b:
        with fail_after(60):
            await b.run(workflow("E > A.x, E > A.x", E=give(HALF), A=keep()), is_heard=True)

    (begun,) = [event for event in b.events if isinstance(event, StepStarted) and event.node_id == "A"]
    assert begun.inputs == {"x": f"more than {MAX_SIZE:,} values"}


async def test_an_object_that_is_put_into_a_text_again_and_again_ends_with_an_error() -> None:
    text = {"x": InputPort(name="x", type="String")}
    outcome = await outcome_of(workflow("E > A.x, A > A.x", E=give('say "hi"'), A=keep(inputs=text)))

    (failure,) = outcome.failures
    assert "Invalid String value at the input 'x'" in failure.message
    assert "too large for a text" in failure.message


async def test_a_run_in_a_circle_keeps_the_first_result_of_each_node_alone() -> None:
    runs: list[int] = []

    def go_on(_: Any) -> Any:
        runs.append(1)
        return {"Output": len(runs)} if len(runs) < 9 else {}

    outcome = await outcome_of(workflow("A > A.x, A > B.x", A=call(go_on), B=keep()), inputs={})

    assert [found["result"] for found in outcome.data] == [{"Output": {"x": 1}}, {}]


async def test_a_run_tells_of_ten_thousand_failures_at_most() -> None:
    links = "E > L.Input, L.Loop > M.Input, M.Loop > A.x"
    loops = {"L": node("ForEach", format="results-array"), "M": node("ForEach", format="results-array")}
    outcome = await outcome_of(workflow(links, E=give([list(range(1001))] * 10), A=raises(ValueError("no")), **loops))

    assert len(outcome.failures) == 10_000
    assert len(outcome.data["result"]["Result"]) == 10_010
