"""Nodes that fail: what they give, who hears of it, and what goes on."""

import asyncio
import math
from typing import Any

import pytest
from anyio import fail_after

from sre_core.components.base import Component
from sre_core.components.node import InputPort
from sre_core.errors import ComponentError, NotFoundError
from sre_core.workflows.plan import Plan
from tests.unit.sre_core.workflows.graphs import bench, call, find, give, keep, node, raises, workflow


async def outcome_of(flow: Any, **more: Any) -> Any:
    async with bench() as b:
        with fail_after(60):
            return await b.run(flow, **more)


@pytest.mark.parametrize(
    ("failing", "message"),
    [
        (raises(ComponentError("no such city", hint="name another")), "no such city"),
        (raises(NotFoundError("gone")), "gone"),
        (raises(ComponentError("")), "ComponentError"),
        (raises(ValueError("a bad one")), "ValueError: a bad one"),
        (raises(TimeoutError()), "TimeoutError: "),
        (call(lambda _: {"_error": "said so"}), "said so"),
        (call(lambda _: {"_error": {"code": 5}}), "{'code': 5}"),
        (call(lambda _: [1]), "The A (Call A) returned list, and not its outputs by name"),
        (call(lambda _: "text"), "The A (Call A) returned str, and not its outputs by name"),
        (node("Unheard"), "component 'Unheard' is not known; install the plugin that has it"),
        (node("Await", max_time="soon"), None),
        (call(lambda inputs: inputs, inputs={"x": InputPort(name="x", type="Number")}), None),
    ],
)
async def test_a_node_that_fails_is_a_result_with_its_error(failing: Any, message: str | None) -> None:
    outcome = await outcome_of(workflow("E > A.x, E > B.x", E=give("much"), A=failing, B=keep()))
    error, other = outcome.data[0]["result"]["_error"], outcome.data[1]

    assert outcome.data[0]["id"] == "A"
    assert other["result"] == {"Output": {"x": "much"}}
    assert outcome.has_result
    (failure,) = outcome.failures
    assert (failure.node_id, failure.title, failure.step) == ("A", "The A", "A#0")
    assert failure.message == str(error)
    if message is not None:
        assert failure.message == message


async def test_an_error_that_could_have_gone_on_stands_behind_the_results() -> None:
    failing = raises(ValueError("bad"))
    outcome = await outcome_of(workflow("E > A.x, A > C.x, E > B.x", E=give(1), A=failing, B=keep(), C=keep()))

    assert [result["id"] for result in outcome.data] == ["B", "A"]


async def test_wrong_settings_are_named_in_the_error() -> None:
    outcome = await outcome_of(workflow("E > A.Jobs", E=give("x"), A=node("Await", max_time="soon", jobs_count=0)))
    message = outcome.failures[0].message

    assert "the settings of The A (Await A) are wrong" in message
    assert "max_time" in message
    assert "jobs_count" in message


async def test_a_run_of_which_only_errors_come_has_no_result() -> None:
    outcome = await outcome_of(workflow("E > A.x", E=give(1), A=raises(ComponentError("broken"))))

    assert not outcome.has_result
    assert outcome.data == {"id": "A", "name": "Call", "result": {"_error": "broken"}}
    assert str(outcome.failures[0]) == "The A (A): broken"


async def test_what_follows_a_failed_node_does_not_run_unless_it_takes_the_error() -> None:
    links = "E > A.x, A > B.x, A._error > C.why"
    outcome = await outcome_of(workflow(links, E=give(1), A=raises(ComponentError("broken")), B=keep(), C=keep()))

    assert outcome.data == {"id": "C", "name": "Call", "result": {"Output": {"why": "broken"}}}
    assert (outcome.has_result, outcome.failures) == (True, ())


async def test_an_error_beside_other_outputs_fires_all_and_is_a_failure_where_no_link_takes_it() -> None:
    both = call(lambda _: {"Output": "answer", "_error": "404"})
    taken = await outcome_of(workflow("E > A.x, A > B.x, A._error > C.x", E=give(1), A=both, B=keep(), C=keep()))
    left = await outcome_of(workflow("E > A.x, A > B.x", E=give(1), A=both, B=keep()))

    assert [found["id"] for found in taken.data] == ["B", "C"]
    assert taken.failures == ()
    assert [found["id"] for found in left.data] == ["B", "A"]
    assert left.has_result
    assert [failure.message for failure in left.failures] == ["404"]


async def test_an_error_that_is_empty_is_none() -> None:
    outcome = await outcome_of(workflow("E > A.x", E=give(1), A=call(lambda _: {"Output": 1, "_error": ""})))

    assert outcome.data == {"id": "A", "name": "Call", "result": {"Output": 1}}
    assert outcome.failures == ()


async def test_a_component_that_returns_none_gives_no_outputs() -> None:
    outcome = await outcome_of(workflow("E > A.x, A > B.x", E=give(1), A=call(lambda _: None), B=keep()))

    assert outcome.data == {"id": "A", "name": "Call", "result": {}}
    assert outcome.failures == ()


async def test_what_is_for_debugging_is_not_shown() -> None:
    outcome = await outcome_of(workflow(E=call(lambda _: {"Output": 1, "_debug": "log", "_debug_time": 5})))

    assert outcome.data["result"] == {"Output": 1}


def circle() -> list[Any]:
    found: list[Any] = []
    found += [found] * 1000
    return found


def deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(1000):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("value", "why"),
    [(b"\xff", "is no JSON"), (deep(), "is no JSON"), (circle(), "is too large")],
    ids=["bytes that are no text", "a list that is too deep", "a list in itself"],
)
@pytest.mark.parametrize("loop", [False, True], ids=["at the top", "in a loop"])
async def test_a_result_that_cannot_be_json_is_an_error_and_not_the_end_of_the_run(
    value: Any, why: str, loop: bool
) -> None:
    links = "E > L.Input, L.Loop > A.x, E > B.x" if loop else "E > A.x, E > B.x"
    loops = {"L": node("ForEach")} if loop else {}
    outcome = await outcome_of(workflow(links, E=give([1]), A=give(value), B=keep(), **loops))
    bad, good = outcome.data if not loop else reversed(outcome.data)
    if loop:
        (bad,) = bad["result"]["Result"]

    assert bad["id"] == "A"
    assert "The A (Call A)" in bad["result"]["_error"]
    assert why in bad["result"]["_error"]
    assert good["result"] == {"Output": {"x": [1]}}


async def test_values_that_json_has_not_become_some_that_it_has() -> None:
    outcome = await outcome_of(workflow(E=give({"set": {1}, "bytes": b"text", "when": object, "inf": math.inf})))
    output = outcome.data["result"]["Output"]

    assert output["set"] == [1]
    assert output["bytes"] == "text"
    assert output["when"] == "<class 'object'>"


async def test_a_component_that_cannot_present_its_result_does_not_end_the_run() -> None:
    class Shy(Component):
        name = "Shy"

        async def run(self, inputs: Any, context: Any) -> Any:
            return {"Output": 1}

        def present(self, outputs: Any, envelope: Any) -> Any:
            raise ComponentError("I would rather not")

    plan = Plan(
        workflow("E > A.x, E > B.x", E=give(1), A=node("Shy"), B=keep()), lambda n: Shy if n == "Shy" else find(n)
    )
    shy, other = (await outcome_of(plan)).data

    assert "I would rather not" in shy["result"]["_error"]
    assert other["result"] == {"Output": {"x": 1}}


@pytest.mark.parametrize("beside", ["", ", E > B.x"], ids=["alone", "beside another"])
async def test_a_cancelled_component_is_never_an_error_output(beside: str) -> None:
    flow = workflow(f"E > A.x{beside}", E=give(1), A=raises(asyncio.CancelledError()), B=keep())
    with pytest.raises(asyncio.CancelledError):
        await outcome_of(flow)


async def test_a_default_that_cannot_be_read_is_an_error_of_its_node() -> None:
    ports = {"y": InputPort(name="y", type="Number", default="many")}
    outcome = await outcome_of(workflow("E > A.x", E=give(1), A=keep(inputs=ports)))

    assert "'y'" in outcome.failures[0].message
