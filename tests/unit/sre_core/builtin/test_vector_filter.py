"""Conditions as predicates; the kit and the reference of MemoryVectors test what they mean."""

import pytest

from sre_core.builtin.vector_filter import predicate
from sre_core.connectors.vectors import Comparison, Condition


def test_no_condition_is_met_by_all():
    assert predicate(())({})


@pytest.mark.parametrize(("items", "member"), [((), False), ((1, "a"), True), ((True,), False), ((1.0,), True)])
def test_membership_knows_kinds(items, member):
    assert predicate([Condition("n", Comparison.IN, items)])({"n": 1}) is member
    assert predicate([Condition("n", Comparison.NIN, items)])({"n": 1}) is not member
