"""What the command line keeps of the ends of jobs, and how it tells of them."""

import pytest

from sre_cli.job_ends import JobEnds
from sre_core.events import JobFinished, StepFinished


async def test_failures_and_what_waits_are_kept_with_their_job_and_shown_aside(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ends = JobEnds()
    await ends.hear(StepFinished(step="A#0", error="of no job"))
    await ends.hear(JobFinished(job="F-1", step="F#0"))
    await ends.hear(JobFinished(job="F-2", step="F#1", failures=("A (A): bad",), waiting=("B (B) waits for 'x'",)))
    assert (ends.failures, ends.waiting) == (["Job F-2: A (A): bad"], ["Job F-2: B (B) waits for 'x'"])
    ends.show()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == ["Job F-2: A (A): bad", "Job F-2: B (B) waits for 'x'"]
