"""Conditions as predicates; the kit and the reference of MemoryVectors test what they mean."""

from enum import IntEnum, StrEnum

import numpy as np
import pytest

from sre_core.builtin.vector_filter import predicate
from sre_core.connectors.vectors import Comparison, Condition


def test_no_condition_is_met_by_all():
    assert predicate(())({})


@pytest.mark.parametrize(("items", "member"), [((), False), ((1, "a"), True), ((True,), False), ((1.0,), True)])
def test_membership_knows_kinds(items, member):
    assert predicate([Condition("n", Comparison.IN, items)])({"n": 1}) is member
    assert predicate([Condition("n", Comparison.NIN, items)])({"n": 1}) is not member


class Language(StrEnum):
    ENGLISH = "en"


class Level(IntEnum):
    ONE = 1


@pytest.mark.parametrize(("plain", "derived"), [("en", Language.ENGLISH), (1, Level.ONE), (0.5, np.float64(0.5))])
def test_a_value_of_a_derived_type_is_what_it_derives_from(plain, derived):
    for wanted, kept in ((plain, derived), (derived, plain), (derived, derived)):
        assert predicate([Condition("n", Comparison.EQ, wanted)])({"n": kept})
        assert predicate([Condition("n", Comparison.IN, (wanted,))])({"n": kept})
        assert not predicate([Condition("n", Comparison.NE, wanted)])({"n": kept})
        assert not predicate([Condition("n", Comparison.EQ, True)])({"n": kept})
