"""Limits of workflows: which are allowed."""

from typing import Any

import pytest

from sre_core.errors import ConfigError
from sre_core.workflows.limits import WorkflowLimits


def test_a_run_has_limits_that_no_honest_workflow_reaches() -> None:
    limits = WorkflowLimits()

    assert (limits.runs, limits.parallel, limits.seconds, limits.jobs) == (1000, 256, None, 10_000)


@pytest.mark.parametrize(
    "more", [{"runs": None, "seconds": None, "jobs": None}, {"runs": 1, "parallel": 1, "seconds": 0.001}]
)
def test_limits_may_be_small_or_absent(more: Any) -> None:
    assert WorkflowLimits(**more) == WorkflowLimits(**more)


@pytest.mark.parametrize(
    "more",
    [
        {"runs": 0}, {"runs": -1}, {"runs": 1.5}, {"runs": True}, {"runs": "9"},
        {"parallel": 0}, {"parallel": None}, {"parallel": True},
        {"jobs": 0}, {"jobs": 1.5}, {"jobs": True},
        {"seconds": 0}, {"seconds": -1}, {"seconds": float("nan")}, {"seconds": True}, {"seconds": "9"},
    ],
)  # fmt: skip
def test_limits_under_which_nothing_could_run_are_refused_by_name(more: Any) -> None:
    with pytest.raises(ConfigError, match=next(iter(more))):
        WorkflowLimits(**more)
