"""Jobs: started, waited for, forgotten."""

import asyncio
from typing import Any

import pytest
from anyio import fail_after

from sre_core.components.jobs import Jobs


async def done(value: Any = None) -> Any:
    return value


async def fail() -> Any:
    raise ValueError("broken")


async def forever() -> Any:
    await asyncio.Event().wait()


async def test_what_became_of_jobs_is_told_by_id_in_the_order_that_was_asked_for() -> None:
    jobs = Jobs()
    jobs.start("good", lambda: done(5))
    jobs.start("bad", fail)
    with fail_after(60):
        found = await jobs.wait(["bad", "nobody", "good", "bad"], seconds=60)

    assert list(found.items()) == [
        ("bad", {"output": {"_error": "broken"}, "status": "failed"}),
        ("nobody", {"status": "unknown_job"}),
        ("good", {"output": 5, "status": "done"}),
    ]


async def test_after_the_time_a_job_that_goes_on_is_pending_and_not_hurt() -> None:
    jobs = Jobs()
    go = asyncio.Event()
    jobs.start("slow", go.wait)

    assert await jobs.wait(["slow"], seconds=0.001) == {"slow": {"status": "pending"}}
    go.set()
    with fail_after(60):
        assert await jobs.wait(["slow"], seconds=60) == {"slow": {"output": True, "status": "done"}}


async def test_waiting_ends_with_the_last_job_and_not_with_the_time() -> None:
    jobs = Jobs()
    jobs.start("one", done)
    with fail_after(60):
        await jobs.wait(["one"], seconds=21600)


async def test_unknown_jobs_are_not_waited_for() -> None:
    with fail_after(60):
        assert await Jobs().wait(["nobody"], seconds=21600) == {"nobody": {"status": "unknown_job"}}
        assert await Jobs().wait([], seconds=21600) == {}


async def test_whoever_stops_waiting_does_not_stop_the_job() -> None:
    jobs = Jobs()
    jobs.start("slow", forever)
    waiting = asyncio.create_task(jobs.wait(["slow"], seconds=60))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])

    assert jobs.pending == 1
    await jobs.aclose()


async def test_closing_cancels_what_goes_on_and_may_be_done_twice() -> None:
    jobs = Jobs()
    jobs.start("slow", forever)
    with fail_after(60):
        await jobs.aclose()
        await jobs.aclose()

    assert jobs.pending == 0
    assert await jobs.wait(["slow"], seconds=0) == {
        "slow": {"output": {"_error": "the job was cancelled"}, "status": "failed"}
    }


async def test_joining_waits_for_the_jobs_of_jobs_too() -> None:
    jobs = Jobs()
    ended = []

    async def parent() -> None:
        await asyncio.sleep(0)
        jobs.start("child", child)

    async def child() -> None:
        await asyncio.sleep(0)
        ended.append("child")

    jobs.start("parent", parent)
    with fail_after(60):
        await jobs.join()

    assert ended == ["child"]


async def test_of_finished_jobs_the_last_thousand_are_kept() -> None:
    jobs = Jobs()
    for number in range(1200):
        jobs.start(f"j{number}", done)
        await jobs.join()
    found = await jobs.wait([f"j{number}" for number in range(1200)], seconds=0)
    kept = [id_ for id_, job in found.items() if job["status"] == "done"]

    assert len(kept) in {1000, 1001}
    assert kept == [f"j{number}" for number in range(1200)][-len(kept) :]


async def test_of_results_that_are_too_large_together_the_last_ones_are_kept() -> None:
    jobs = Jobs()
    large = ["x" * 2**20] * 100
    ids = [f"j{number}" for number in range(20)]
    for id_ in ids:
        jobs.start(id_, lambda: done(large))
        await jobs.join()
    found = await jobs.wait(ids, seconds=0)

    assert [job["status"] for job in found.values()] == ["unknown_job"] * 17 + ["done"] * 3


async def test_the_last_result_is_kept_however_large_it_is() -> None:
    jobs = Jobs()
    for id_ in ("first", "last"):
        jobs.start(id_, lambda: done(["x" * 2**20] * 1000))
        await jobs.join()
    found = await jobs.wait(["first", "last"], seconds=0)

    assert [job["status"] for job in found.values()] == ["unknown_job", "done"]


@pytest.mark.parametrize("running", [1, 1500])
async def test_jobs_that_go_on_are_never_forgotten_nor_do_they_crowd_out_finished_ones(running: int) -> None:
    jobs = Jobs()
    for number in range(running):
        jobs.start(f"slow{number}", forever)
    for number in range(900):
        jobs.start(f"j{number}", done)
    await jobs.wait(["j899"], seconds=60)
    jobs.start("last", done)

    assert jobs.pending == running + 1
    found = await jobs.wait([f"j{number}" for number in range(900)], seconds=0)
    assert {job["status"] for job in found.values()} == {"done"}
    await jobs.aclose()
