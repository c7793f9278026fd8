"""Limits: senseless ones are refused where they are written."""

import pytest

from sre_core.agents.limits import Limits
from sre_core.errors import ConfigError


@pytest.mark.parametrize(
    "wrong",
    [
        {"turns": 0},
        {"turns": None},
        {"turns": True},
        {"turns": 1.5},
        {"turns": "20"},
        {"parallel_calls": 0},
        {"skill_calls": -1},
        {"retries": -1},
        {"tokens": 0},
        {"seconds": 0},
        {"seconds": -1.0},
        {"seconds": float("nan")},
        {"window_tokens": 0},
        {"output_tokens": -5},
    ],
)
def test_a_limit_under_which_nothing_could_run_is_refused(wrong):
    with pytest.raises(ConfigError, match=f"limit {next(iter(wrong))!r}"):
        Limits(**wrong)


@pytest.mark.parametrize("right", [{}, {"skill_calls": 0}, {"retries": 0}, {"seconds": 0.1}, {"tokens": 1}])
def test_other_limits_are_taken(right):
    limits = Limits(**right)
    assert {name: getattr(limits, name) for name in right} == right
