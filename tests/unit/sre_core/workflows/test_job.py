"""How a job ended is told, also when nobody asks for it: as an event, and in the log when something failed."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from anyio import fail_after

from sre_core.errors import ComponentError
from sre_core.events import JobFinished
from sre_core.workflows.limits import WorkflowLimits
from tests.unit.sre_core.workflows.graphs import bench, give, keep, node, raises, workflow

ALONE = "E > F.x, F.x > A.x, F.JobID > B.x"


async def ended(links: str = ALONE, **nodes: Any) -> JobFinished:
    """The event of the only job of a workflow whose nodes are A, and those that every such workflow has."""
    nodes = {"E": give(4), "F": node("Async"), "B": keep(), **nodes}
    async with bench() as b:
        with fail_after(60):
            outcome = await b.run(workflow(links, **nodes), is_heard=True, limits=WorkflowLimits(runs=5))
            await b.jobs.join()
        assert outcome.failures == ()
        (event,) = [event for event in b.events if isinstance(event, JobFinished)]
        assert event.job == outcome.data["result"]["Output"]["x"]
    return event


def warned(records: Sequence[logging.LogRecord]) -> list[dict[str, Any]]:
    """The warnings of failed jobs, as far as they are always the same but for the job's id."""
    lines: list[Any] = [record.msg for record in records if record.levelno == logging.WARNING]
    return [{name: line[name] for name in ("event", "job", "node", "message")} for line in lines]


async def test_a_job_that_went_well_is_told_of_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    event = await ended(A=keep())

    assert (event.step, event.node_id, event.title) == ("F#0", "F", "The F")
    assert (event.failures, event.waiting) == ((), ())
    assert warned(caplog.records) == []


async def test_nodes_of_a_job_that_fail_are_named(caplog: pytest.LogCaptureFixture) -> None:
    event = await ended(A=raises(ComponentError("broken")))

    assert event.failures == ("The A (A): broken",)
    assert warned(caplog.records) == [{"event": "job_failed", "job": event.job, "node": "A", "message": "broken"}]


async def test_a_job_that_is_ended_by_a_limit_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    event = await ended(ALONE + ", A > A.x", A=give(1))

    (failure,) = event.failures
    assert "goes in a circle" in failure
    assert warned(caplog.records) == [{"event": "job_failed", "job": event.job, "node": "F", "message": failure}]


async def test_an_error_that_goes_on_along_a_link_is_no_failure_of_the_job(caplog: pytest.LogCaptureFixture) -> None:
    event = await ended(ALONE + ", A._error > C.x", A=raises(ComponentError("broken")), C=keep())

    assert event.failures == ()
    assert warned(caplog.records) == []


async def test_nodes_of_a_job_that_wait_in_vain_are_named() -> None:
    event = await ended(ALONE + ", A > C.x, D > C.y, A.Never > D.x", A=keep(), C=keep(), D=keep())

    assert [text.partition(" waits")[0] for text in event.waiting] == ["The C (C)"]
