"""Debugging a run: one step after the other, with inputs and outputs of one's own."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from anyio import fail_after

from sre_core.components.node import InputPort
from sre_core.errors import ComponentError, LimitExceededError, WorkflowError
from sre_core.workflows.debug import Debugger, StepRecord
from sre_core.workflows.limits import WorkflowLimits
from tests.unit.sre_core.workflows.graphs import bench, call, give, keep, node, raises, workflow

CHAIN = "E > A.x, A > B.x"


@asynccontextmanager
async def debugging(flow: Any, **more: Any) -> AsyncGenerator[Debugger]:
    async with bench() as b, Debugger(lambda gate: b.run(flow, {"a": 1}, gate=gate, **more)) as session:
        with fail_after(60):
            yield session


async def steps_of(session: Debugger) -> list[str]:
    """The keys of all steps to come."""
    found = []
    while (record := await session.step()) is not None:
        found.append(record.step)
    return found


async def test_a_run_stands_still_before_its_first_node() -> None:
    ran: list[int] = []
    async with debugging(workflow(E=call(lambda _: ran.append(1)))) as session:
        (record,) = session.pending
        for _ in range(10):
            await asyncio.sleep(0)

    assert record == StepRecord(step="E#0", node_id="E", title="The E", inputs={"a": 1})
    assert ran == []


async def test_a_step_is_one_node_and_tells_what_it_got_and_gave() -> None:
    async with debugging(workflow(CHAIN, E=give(5), A=keep(), B=keep())) as session:
        await session.step()
        record = await session.step()
        assert record is not None
        assert (record.step, record.inputs, record.outputs) == ("A#0", {"x": 5}, {"Output": {"x": 5}})
        assert record.seconds > 0
        assert not record.is_injected
        assert await session.ready()
        assert [pending.node_id for pending in session.pending] == ["B"]
        assert await steps_of(session) == ["B#0"]
        assert not await session.ready()
        assert [ended.step for ended in session.steps] == ["E#0", "A#0", "B#0"]
        assert (await session.finish()).data["id"] == "B"


async def test_a_default_that_is_a_secret_is_given_and_not_shown() -> None:
    secret = InputPort(name="key", optional=True, default="{{KEY(k)}}")
    flow = workflow("E > A.x", E=give(5), A=keep(inputs={"key": secret}))
    async with bench(secrets={"k": "hush"}) as b, Debugger(lambda gate: b.run(flow, gate=gate)) as session:
        with fail_after(60):
            await session.finish()
    assert session.steps[1].inputs == {"x": 5}
    assert session.steps[1].outputs == {"Output": {"key": "hush", "x": 5}}


async def test_nodes_that_are_ready_together_stand_in_order_of_the_file_loops_too() -> None:
    links = "E > A.x, E > L.Input, E > B.x, L.Loop > C.x"
    flow = workflow(links, E=give([1]), A=keep(), L=node("ForEach"), B=keep(), C=keep())
    async with debugging(flow) as session:
        await session.step()
        await session.ready()
        assert [pending.node_id for pending in session.pending] == ["A", "L", "B"]


async def test_a_loop_is_a_step_that_ends_when_its_items_are_known() -> None:
    links = "E > L.Input, L.Loop > A.x, L.Result > Z.x"
    flow = workflow(links, E=give("p,q"), L=node("ForEach", format="results-array"), A=keep(), Z=keep())
    async with debugging(flow) as session:
        await session.step()
        record = await session.step()
        assert record is not None
        assert record.outputs == {"items": ["p", "q"]}
        assert await steps_of(session) == ["L#0[0]/A#0", "L#0[1]/A#0", "Z#0"]
        ended = [record for record in session.steps if record.step == "L#0"][-1]
        assert ended.outputs == {"Result": [{"x": "p"}, {"x": "q"}]}
        assert ended.inputs == record.inputs == {"Input": "p,q"}


async def test_inputs_can_be_put_over_those_that_a_node_gets() -> None:
    async with debugging(workflow(CHAIN, E=give(5), A=keep(), B=keep())) as session:
        session.inject("A", inputs={"x": 6, "y": 7})
        outcome = await session.finish()

    assert outcome.data["result"] == {"Output": {"x": {"x": 6, "y": 7}}}


async def test_a_node_that_stands_is_shown_with_the_inputs_that_it_will_get() -> None:
    async with debugging(workflow(CHAIN, E=give(5), A=keep(), B=keep())) as session:
        await session.step()
        session.inject("A", inputs={"y": 7})
        await session.ready()
        assert [dict(record.inputs) for record in session.pending] == [{"x": 5, "y": 7}]
        session.inject("A", inputs={"x": 6})
        (record,) = session.pending
        assert (dict(record.inputs), record.is_injected) == ({"x": 6}, False)
        session.inject("A", inputs={}, outputs={"Output": "given"})
        (record,) = session.pending
        assert (dict(record.inputs), record.is_injected) == ({"x": 5}, True)


async def test_with_outputs_of_ones_own_a_node_does_not_run() -> None:
    async with debugging(workflow(CHAIN, E=give(5), A=raises(ComponentError("ran")), B=keep())) as session:
        session.inject("A", outputs={"Output": "given"})
        await session.step()
        record = await session.step()
        assert record is not None
        assert (record.is_injected, record.outputs) == (True, {"Output": "given"})
        outcome = await session.finish()

    assert outcome.data["result"] == {"Output": {"x": "given"}}
    assert outcome.failures == ()


async def test_what_was_injected_can_be_taken_back() -> None:
    async with debugging(workflow(CHAIN, E=give(5), A=keep(), B=keep())) as session:
        session.inject("A", inputs={"x": 6}, outputs={"Output": "given"})
        session.inject("A", inputs={}, outputs={})
        outcome = await session.finish()

    assert outcome.data["result"] == {"Output": {"x": {"x": 5}}}


async def test_outputs_of_ones_own_for_a_loop_take_the_place_of_all_its_rounds() -> None:
    links = "E > L.Input, L.Loop > A.x, L.Result > Z.x"
    flow = workflow(links, E=give([1, 2]), L=node("ForEach"), A=raises(ComponentError("ran")), Z=keep())
    async with debugging(flow) as session:
        session.inject("L", outputs={"Result": ["given"]})
        assert await steps_of(session) == ["E#0", "L#0", "Z#0"]
        outcome = await session.finish()

    assert outcome.data["result"] == {"Output": {"x": ["given"]}}


async def test_outputs_of_ones_own_for_an_async_need_no_job() -> None:
    links = "E > F.x, F.x > A.x, F.JobID > B.x, F.other > C.x"
    flow = workflow(links, E=give(1), F=node("Async"), A=raises(ComponentError("ran")), B=keep(), C=keep())
    async with debugging(flow) as session:
        session.inject("F", outputs={"other": 1})
        outcome = await session.finish()

    assert outcome.failures == ()


async def test_leaving_early_ends_the_run() -> None:
    async with bench() as b:
        before = asyncio.all_tasks()
        links = "E > A.x, E > B.x, E > L.Input, L.Loop > C.x"
        flow = workflow(links, E=give([1]), A=keep(), B=keep(), L=node("ForEach"), C=keep())
        with fail_after(60):
            async with Debugger(lambda gate: b.run(flow, gate=gate)) as session:
                await session.step()
                await session.step()
        assert asyncio.all_tasks() == before


async def test_a_step_that_is_given_up_leaves_no_task_behind() -> None:
    begun = asyncio.Event()

    async def hang(_: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    async with bench() as b:
        before = asyncio.all_tasks()
        async with Debugger(lambda gate: b.run(workflow(E=call(hang)), gate=gate)) as session:
            step = asyncio.create_task(session.step())
            with fail_after(60):
                await begun.wait()
            step.cancel()
            await asyncio.wait([step])
        assert asyncio.all_tasks() == before


async def test_a_node_that_fails_is_a_step_like_any_other() -> None:
    async with debugging(workflow("E > A.x", E=give(5), A=raises(ComponentError("broken")))) as session:
        await session.step()
        record = await session.step()
        assert record is not None
        assert record.outputs == {"_error": "broken"}
        assert await session.step() is None


async def test_what_ends_the_run_comes_out_of_the_step() -> None:
    flow = workflow("E > A.x, A > A.x", E=give(1), A=give(2))
    async with debugging(flow, limits=WorkflowLimits(runs=2)) as session:
        for _ in range(3):
            assert await session.step() is not None
        with pytest.raises(LimitExceededError):
            await session.step()
        with pytest.raises(LimitExceededError):
            await session.finish()


async def test_the_time_limit_counts_in_the_middle_of_a_step(skip: Callable[[float], None]) -> None:
    begun = asyncio.Event()

    async def hang(_: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    flow = workflow("E > A.x, E > B.x", E=give(1), A=call(hang), B=keep())
    async with debugging(flow, limits=WorkflowLimits(seconds=30)) as session:
        await session.step()
        step = asyncio.create_task(session.step())
        await begun.wait()
        skip(31)
        with pytest.raises(LimitExceededError):
            await step
        assert session.pending == []


async def test_what_fails_before_the_first_node_comes_out_where_the_block_is_entered() -> None:
    async def start(_: Any) -> Any:
        raise ComponentError("cannot begin")

    before = asyncio.all_tasks()
    with pytest.raises(ComponentError, match="cannot begin"):
        async with Debugger(start):
            raise AssertionError
    assert asyncio.all_tasks() == before


async def test_without_a_session_there_is_nothing_to_finish() -> None:
    async def start(_: Any) -> Any:
        raise AssertionError

    session = Debugger(start)
    for use in (session.step, session.finish):
        with pytest.raises(WorkflowError, match="has not begun") as caught:
            await use()
        assert "async with" in str(caught.value.hint)


async def test_after_the_block_there_is_no_step_and_nothing_to_finish() -> None:
    async with debugging(workflow(CHAIN, E=give(5), A=keep(), B=keep())) as session:
        await session.step()
    for use in (session.step, session.finish):
        with pytest.raises(WorkflowError, match="has ended") as caught:
            await use()
        assert "async with" in str(caught.value.hint)


async def test_what_a_whole_run_gave_is_known_after_the_block_but_has_no_more_steps() -> None:
    async with debugging(workflow("E > A.x", E=give(5), A=keep())) as session:
        await session.finish()
    assert (await session.finish()).data["id"] == "A"
    with pytest.raises(WorkflowError, match="has ended"):
        await session.step()


@pytest.mark.parametrize("use", [Debugger.step, Debugger.finish])
async def test_who_waits_when_the_block_is_left_is_told_so(use: Any) -> None:
    begun = asyncio.Event()

    async def hang(_: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    async with debugging(workflow("E > A.x", E=call(hang), A=keep())) as session:
        waiting = asyncio.create_task(use(session))
        await begun.wait()
    with fail_after(60), pytest.raises(WorkflowError, match="has ended"):
        await waiting


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_failure_that_nobody_asked_for_is_not_complained_of(*, is_cancelled: bool) -> None:
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    begun = asyncio.Event()

    async def start(_: Any) -> Any:
        begun.set()
        try:
            if is_cancelled:
                await asyncio.Event().wait()
        finally:
            raise ComponentError("broken")

    async def debug() -> None:
        with suppress(ComponentError):
            async with Debugger(start):
                raise AssertionError

    try:
        task = asyncio.create_task(debug())
        await begun.wait()
        if is_cancelled:
            task.cancel()
        await asyncio.wait([task])
        del task
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert complaints == []


async def test_a_session_that_is_cancelled_before_its_first_stop_leaves_no_task_behind() -> None:
    begun = asyncio.Event()

    async def start(_: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    async def debug() -> None:
        async with Debugger(start):
            raise AssertionError

    before = asyncio.all_tasks()
    task = asyncio.create_task(debug())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])
    assert asyncio.all_tasks() == before


async def test_what_is_injected_is_looked_at_and_what_is_refused_is_not_kept() -> None:
    def check(node_id: str, inputs: Any, outputs: Any) -> None:
        if (node_id, dict(inputs), dict(outputs)) != ("A", {"x": 7}, {}):
            raise WorkflowError("refused")

    flow = workflow(CHAIN, E=give(5), A=keep(), B=keep())
    async with bench() as b, Debugger(lambda gate: b.run(flow, {}, gate=gate), check=check) as session:
        session.inject("A", inputs={"x": 7})
        with pytest.raises(WorkflowError, match="refused"):
            session.inject("A", inputs={"x": 8}, outputs={"Output": "given"})
        outcome = await session.finish()

    assert outcome.data["result"] == {"Output": {"x": {"x": 7}}}


async def test_the_nodes_of_a_job_are_steps_and_so_they_are_when_the_run_has_ended() -> None:
    links = "E > F.x, F.x > A.x, A > A2.x, F.JobID > B.x"
    flow = workflow(links, E=give(1), F=node("Async"), A=keep(), A2=keep(), B=keep())
    async with debugging(flow) as session:
        found = [await session.step() for _ in range(4)]
        for _ in range(20):
            await asyncio.sleep(0)
        assert await session.ready()
        found.append(await session.step())

    assert {record.step for record in found if record} == {"E#0", "F#0", "F#0/A#0", "B#0", "F#0/A2#0"}


async def test_leaving_lets_jobs_go_on() -> None:
    links = "E > F.x, F.x > A.x, A > A2.x, F.JobID > B.x"
    flow = workflow(links, E=give(1), F=node("Async"), A=keep(), A2=keep(), B=keep())
    async with bench() as b:
        async with Debugger(lambda gate: b.run(flow, gate=gate)) as session:
            await session.step()
            await session.step()
        with fail_after(60):
            await b.jobs.join()
        (id_,) = b.jobs._jobs
        assert (await b.jobs.wait([id_], seconds=0))[id_]["status"] == "done"


async def test_while_a_node_waits_for_jobs_their_nodes_run_without_a_stop() -> None:
    links = "E > F.x, F.x > A.x, A.Output > B.x, F.JobID > W.Jobs, W.Results > Z.x"
    flow = workflow(links, E=give(1), F=node("Async"), A=keep(), B=keep(), W=node("Await", max_time=60), Z=keep())
    async with bench() as b:
        with fail_after(60):
            async with Debugger(lambda gate: b.run(flow, gate=gate)) as session:
                while await session.step():
                    pass
                outcome = await session.finish()
    (job,) = outcome.data["result"]["Output"]["x"].values()
    assert job["status"] == "done"
    assert {record.node_id for record in session.steps} == {"E", "F", "A", "B", "W", "Z"}
