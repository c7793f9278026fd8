"""Jobs in a workflow: what follows Async goes on by itself, and Await asks for its result."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from anyio import fail_after

from sre_core.errors import ComponentError
from sre_core.workflows.limits import WorkflowLimits
from tests.unit.sre_core.workflows.graphs import Bench, Recorder, bench, call, give, keep, node, raises, workflow

ASYNC = node("Async")
AWAIT = node("Await", max_time=60)
BASIC = "E > F.x, F.x > A.x, F.JobID > W.Jobs, W.Results > Z.x"


def job_of(outcome: Any) -> Any:
    """What Await found of the one job, by way of the node Z."""
    (found,) = outcome.data["result"]["Output"]["x"].values()
    return found


async def run(b: Bench, flow: Any, **more: Any) -> Any:
    with fail_after(60):
        return await b.run(flow, **more)


def double(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"Output": inputs["x"] * 2}


async def test_await_has_the_result_of_the_job() -> None:
    async with bench() as b:
        outcome = await run(b, workflow(BASIC, E=give(4), F=ASYNC, A=call(double), W=AWAIT, Z=keep()))

    assert job_of(outcome) == {"status": "done", "output": {"id": "A", "name": "Call", "result": {"Output": 8}}}
    assert outcome.waiting == ()


async def test_the_run_goes_on_while_the_job_does_its_work() -> None:
    run_ended = asyncio.Event()

    async def wait(_: Any) -> Any:
        await run_ended.wait()
        return {"Output": "late"}

    async with bench() as b:
        links = "E > F.x, F.x > A.x, F.JobID > B.x"
        outcome = await run(b, workflow(links, E=give(4), F=ASYNC, A=call(wait), B=keep()))
        id_ = outcome.data["result"]["Output"]["x"]
        assert (await b.jobs.wait([id_], seconds=0))[id_] == {"status": "pending"}
        run_ended.set()
        with fail_after(60):
            await b.jobs.join()
        assert (await b.jobs.wait([id_], seconds=0))[id_]["output"]["result"] == {"Output": "late"}


async def test_the_ids_of_jobs_name_their_node_and_are_never_the_same() -> None:
    async with bench() as b:
        flow = workflow("E > F.x, F.x > A.x, F.JobID > B.x", E=give(4), F=ASYNC, A=keep(), B=keep())
        ids = {(await run(b, flow)).data["result"]["Output"]["x"] for _ in range(20)}

    assert len(ids) == 20
    assert all(id_.startswith("F-") for id_ in ids)


async def test_an_async_whose_job_nobody_asks_for_gives_no_result() -> None:
    async with bench() as b:
        outcome = await run(b, workflow("E > F.x, F.x > A.x", E=give(4), F=ASYNC, A=keep()))

    assert (outcome.data, outcome.has_result, outcome.failures, outcome.waiting) == ([], False, (), ())


async def test_the_job_sees_what_the_run_had_brought_to_its_nodes_and_waits_for_no_more() -> None:
    links = BASIC + ", E > S.x, S > B.early, B > B2.x, B2 > F.y, S > A.early, L > A.late, Z > L.x"
    nodes = {"E": give(4), "S": give("seen"), "B": keep(), "B2": keep(), "L": give(1)}
    async with bench() as b:
        outcome = await run(b, workflow(links, **nodes, F=ASYNC, A=keep(), W=AWAIT, Z=keep()))
        (id_,) = b.jobs._jobs
        output = (await b.jobs.wait([id_], seconds=60))[id_]["output"]

    assert output["result"]["Output"] == {"early": "seen", "x": 4}
    assert outcome.waiting == ()


async def test_a_failed_node_in_a_job_is_a_result_with_an_error() -> None:
    async with bench() as b:
        outcome = await run(
            b, workflow(BASIC, E=give(4), F=ASYNC, A=raises(ComponentError("broken")), W=AWAIT, Z=keep())
        )

    assert job_of(outcome) == {
        "status": "done",
        "output": {"id": "A", "name": "Call", "result": {"_error": "broken"}},
    }


async def test_a_job_that_goes_in_a_circle_fails() -> None:
    flow = workflow(BASIC + ", A > A.x", E=give(4), F=ASYNC, A=give(1), W=AWAIT, Z=keep())
    async with bench() as b:
        found = job_of(await run(b, flow, limits=WorkflowLimits(runs=5)))

    assert found["status"] == "failed"
    assert "goes in a circle" in found["output"]["_error"]


async def test_each_round_of_a_loop_may_start_a_job() -> None:
    links = "E > L.Input, L.Loop > F.x, F.x > A.x, F.JobID > J.x, L.Result > W.Jobs, W.Results > Z.x"
    loop = node("ForEach", format="results-array")
    nodes = {"J": call(lambda inputs: {"Output": inputs["x"]}), "W": node("Await", jobs_count=9, max_time=60)}
    async with bench() as b:
        outcome = await run(b, workflow(links, E=give([1, 2, 3]), L=loop, F=ASYNC, A=call(double), **nodes, Z=keep()))
        found = outcome.data["result"]["Output"]["x"].values()

    assert [job["output"]["result"]["Output"] for job in found] == [2, 4, 6]
    assert outcome.waiting == ()


async def test_a_loop_goes_through_its_items_in_a_job() -> None:
    links = "E > F.x, F.x > L.Input, L.Loop > A.x, L.Result > B.x, F.JobID > W.Jobs, W.Results > Z.x"
    loop = node("ForEach", format="results-array", parallel=2)
    flow = workflow(links, E=give([1, 2]), F=ASYNC, L=loop, A=call(double), B=keep(), W=AWAIT, Z=keep())
    async with bench() as b:
        found = job_of(await run(b, flow))

    assert found["output"]["result"]["Output"] == {"x": [2, 4]}


async def test_a_job_may_start_and_await_another() -> None:
    links = BASIC + ", A > G.x, G.x > B.x, G.JobID > V.Jobs"
    flow = workflow(links, E=give(4), F=ASYNC, A=call(double), W=AWAIT, Z=keep(), G=ASYNC, B=call(double), V=AWAIT)
    async with bench() as b:
        found = job_of(await run(b, flow))

    assert found["status"] == "done"
    (inner,) = found["output"]["result"]["Results"].values()
    assert inner == {"status": "done", "output": {"id": "B", "name": "Call", "result": {"Output": 16}}}


async def test_what_follows_the_id_belongs_to_the_run_though_the_job_leads_back_to_its_async() -> None:
    links = "E > F.x, F.x > A.x, A > F.x, F.JobID > B.x"
    async with bench() as b:
        outcome = await run(b, workflow(links, E=give(4), F=ASYNC, A=give(1), B=keep()))
        with fail_after(60):
            await b.jobs.join()

    assert outcome.data["id"] == "B"


async def test_jobs_that_lead_to_each_other_in_a_circle_come_to_an_end() -> None:
    links = "E > F.x, F.x > G.x, G.x > F.x"
    async with bench() as b:
        await run(b, workflow(links, E=give(4), F=ASYNC, G=ASYNC))
        with fail_after(60):
            await b.jobs.join()
        assert len(b.jobs._jobs) < 5


async def test_a_loop_and_a_job_in_one_circle_come_to_an_end() -> None:
    links = "E > L.Input, L.Loop > F.x, F.x > A.x, A > L.Input"
    async with bench() as b:
        await run(b, workflow(links, E=give([1, 2]), L=node("ForEach"), F=ASYNC, A=give([1, 2])))
        with fail_after(60):
            await b.jobs.join()
        assert len(b.jobs._jobs) < 10


async def test_steps_of_a_job_have_the_key_of_its_async_before_their_own() -> None:
    recorder = Recorder()
    async with bench() as b:
        await run(b, workflow(BASIC, E=give(4), F=ASYNC, A=call(double), W=AWAIT, Z=keep()), steps=recorder)

    assert sorted(recorder.results) == ["E#0", "F#0", "F#0/A#0", "W#0", "Z#0"]


async def test_a_run_that_is_cancelled_leaves_its_jobs_to_those_who_own_them() -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def wait(_: Any) -> Any:
        begun.set()
        await end.wait()
        return {"Output": "done"}

    async with bench() as b:
        running = asyncio.create_task(b.run(workflow(BASIC, E=give(4), F=ASYNC, A=call(wait), W=AWAIT, Z=keep())))
        with fail_after(60):
            await begun.wait()
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()
        assert b.jobs.pending == 1
        end.set()
        with fail_after(60):
            await b.jobs.join()
        assert b.jobs.pending == 0


async def test_the_time_limit_of_a_run_is_none_of_its_jobs(skip: Callable[[float], None]) -> None:
    begun = asyncio.Event()

    async def wait(_: Any) -> Any:
        begun.set()
        await asyncio.Event().wait()

    flow = workflow("E > F.x, F.x > A.x, F.JobID > B.x", E=give(4), F=ASYNC, A=call(wait), B=keep())
    async with bench() as b:
        outcome = await run(b, flow, limits=WorkflowLimits(seconds=60))
        with fail_after(60):
            await begun.wait()
        skip(61)
        await asyncio.sleep(0)
        assert b.jobs.pending == 1

    assert outcome.has_result
    # Whoever ends the host ends the jobs.
    assert b.jobs.pending == 0


async def test_an_async_that_would_start_more_jobs_than_may_run_fails_and_the_others_go_on() -> None:
    end = asyncio.Event()

    async def wait(_: Any) -> Any:
        await end.wait()
        return {"Output": "done"}

    flow = workflow(
        "E > L.Input, L.Loop > F.x, F.x > A.x, F.JobID > B.x, L.Result > Z.x",
        E=give([1, 2, 3, 4]), L=node("ForEach", format="results-array"), F=ASYNC, A=call(wait), B=keep(), Z=keep(),
    )  # fmt: skip
    async with bench() as b:
        outcome = await run(b, flow, limits=WorkflowLimits(jobs=2))
        assert b.jobs.pending == 2
        end.set()
        with fail_after(60):
            await b.jobs.join()
        again = await run(b, flow, limits=WorkflowLimits(jobs=None))

    assert [failure.step for failure in outcome.failures] == ["L#0[2]/F#0", "L#0[3]/F#0"]
    assert outcome.failures[0].message == "The F (Async F) cannot start a job: 2 of this agent are running"
    assert "WorkflowLimits.jobs" in outcome.failures[0].hint
    assert again.failures == ()


@pytest.mark.parametrize("value", [None, 5, [1], {"a": 1}])
async def test_await_says_what_it_cannot_take_for_the_id_of_a_job(value: Any) -> None:
    async with bench() as b:
        outcome = await run(b, workflow("E > W.Jobs", E=give(value), W=AWAIT))

    assert outcome.data["result"]["_error"].endswith("is no id of a job")


async def test_the_ids_of_jobs_are_the_results_of_a_loop_that_only_starts_them() -> None:
    links = "E > L.Input, L.Loop > F.x, F.x > A.x, L.Result > W.Jobs, W.Results > Z.x"
    loop = node("ForEach", format="results-array", parallel=2)
    many = node("Await", jobs_count=9, max_time=60)
    async with bench() as b:
        outcome = await run(b, workflow(links, E=give([1, 2]), L=loop, F=ASYNC, A=call(double), W=many, Z=keep()))

    jobs = outcome.data["result"]["Output"]["x"].values()
    assert [job["output"]["result"]["Output"] for job in jobs] == [2, 4]


async def test_the_job_of_an_async_that_nothing_follows_gives_its_own_outputs() -> None:
    async with bench() as b:
        outcome = await run(
            b, workflow("E > F.x, F.JobID > W.Jobs, W.Results > Z.x", E=give(1), F=ASYNC, W=AWAIT, Z=keep())
        )

    job = job_of(outcome)
    assert (job["status"], job["output"]["name"], job["output"]["result"]["x"]) == ("done", "Async", 1)


async def test_what_a_round_brings_to_the_job_of_another_round_is_not_kept() -> None:
    links = "E > L.Input, L.Loop > F.x, F.x > A.x, L.Loop > A.y, F.JobID > J.x, L.Result > Z.x, Z > A.z"
    async with bench() as b:
        loop = node("ForEach", format="results-array")
        outcome = await run(b, workflow(links, E=give([1, 2]), L=loop, F=ASYNC, A=keep(), J=keep(), Z=keep()))
        ids = list(b.jobs._jobs)
        found = (await b.jobs.wait(ids, seconds=60)).values()

    assert [job["output"]["result"]["Output"] for job in found] == [{"x": 1, "y": 1}, {"x": 2, "y": 2}]
    assert outcome.waiting == ()
