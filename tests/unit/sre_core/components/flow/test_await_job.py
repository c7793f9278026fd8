"""Await alone: one job or several, some of which never come."""

import asyncio
from typing import Any

import pytest
from anyio import fail_after

from sre_core.errors import ComponentError
from sre_core.testing.bench import bench


async def done() -> str:
    return "done"


async def found(jobs: Any, **data: Any) -> Any:
    async with bench() as b:
        for id_ in ("J1", "J2"):
            b.host.jobs.start(id_, done)
        b.host.jobs.start("slow", asyncio.Event().wait)
        with fail_after(60):
            outputs = await b.run("Await", {"max_time": "60", **data}, inputs={"Jobs": jobs})
    return {id_: job["status"] for id_, job in outputs["Results"].items()}


async def test_one_id_and_a_list_of_one_are_the_same() -> None:
    assert await found("J1") == await found(["J1"]) == {"J1": "done"}


async def test_as_many_jobs_are_waited_for_as_are_asked_for_and_all_are_told() -> None:
    assert await found(["J2", "J1", "slow"], jobs_count=2) == {"J2": "done", "J1": "done", "slow": "pending"}
    assert await found(["J2", "J1"]) == {"J2": "done", "J1": "done"}


async def test_fewer_jobs_than_were_asked_for_are_enough() -> None:
    assert await found(["J1"], jobs_count=5) == {"J1": "done"}
    assert await found([], jobs_count=5) == {}


async def test_a_job_that_takes_too_long_is_pending() -> None:
    assert await found(["slow", "J1"], jobs_count="2", max_time="1") == {"slow": "pending", "J1": "done"}


async def test_a_job_that_nobody_started_is_unknown_and_not_waited_for() -> None:
    assert await found("J9", max_time=21600) == {"J9": "unknown_job"}


async def test_the_output_of_a_job_comes_with_its_status() -> None:
    async with bench() as b:
        b.host.jobs.start("J1", done)
        outputs = await b.run("Await", inputs={"Jobs": "J1"})

    assert outputs == {"Results": {"J1": {"output": "done", "status": "done"}}}


@pytest.mark.parametrize("jobs", [None, 5, ["J1", 5], {"id": "J1"}, ("J1",)])
async def test_what_is_no_id_is_refused_and_not_repeated(jobs: Any) -> None:
    with pytest.raises(ComponentError, match="is no id of a job") as caught:
        await found(jobs)
    assert "J1" not in caught.value.message


@pytest.mark.parametrize("data", [{"jobs_count": 0}, {"jobs_count": 101}, {"max_time": 0}, {"max_time": 21601}])
async def test_settings_that_cannot_be_are_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        await found("J1", **data)
