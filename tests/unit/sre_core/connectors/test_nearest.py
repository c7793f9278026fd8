"""The order that is made of what a vector database found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.connectors.nearest import ends_clearly, nearest_first
from sre_core.connectors.vectors import Match


def found(**scores: float) -> list[Match]:
    return [Match(id=key, score=score) for key, score in scores.items()]


def ids(matches: list[Match]) -> list[str]:
    return [match.id for match in matches]


def test_the_best_come_first_and_no_more_than_k():
    assert ids(nearest_first(found(a=0.1, b=0.9, c=0.5), 2)) == ["b", "c"]
    assert nearest_first([], 3) == []


def test_equal_scores_are_in_order_of_id_also_at_the_cut():
    assert ids(nearest_first(found(d=1.0, b=1.0, far=0.0, c=1.0, a=1.0), 2)) == ["a", "b"]


def test_scores_that_differ_by_rounding_count_as_equal():
    matches = nearest_first(found(b=0.70710678, a=0.7071067, c=0.7071), 3)
    assert ids(matches) == ["a", "b", "c"]
    assert matches[0].score == matches[1].score > matches[2].score


def test_small_scores_are_told_apart():
    """What counts is the relative distance: dot products of short vectors are small."""
    assert ids(nearest_first(found(a=1e-12, b=2e-12), 2)) == ["b", "a"]


def test_infinite_scores_are_equal_to_each_other_alone():
    """Products of vectors may be beyond float32."""
    inf = float("inf")
    assert ids(nearest_first(found(b=inf, d=-inf, a=inf, c=3e38), 4)) == ["a", "b", "c", "d"]
    assert not ends_clearly([inf, inf], 1)
    assert ends_clearly([inf, 3e38], 1)


@pytest.mark.parametrize(
    ("scores", "k", "clear"),
    [
        ([1.0, 0.5], 1, True),
        ([1.0, 1.0], 1, False),
        ([1.0, 0.9999999], 1, False),
        ([1.0, 0.5, 0.5], 2, False),
        ([1.0, 0.5, 0.5, 0.4], 2, True),
        ([1.0], 1, False),
        ([-1.0, -2.0], 1, True),
    ],
)
def test_a_search_ends_clearly_when_a_worse_record_follows(scores, k, clear):
    assert ends_clearly(scores, k) is clear


@given(
    st.dictionaries(st.text(max_size=3), st.floats(-10, 10, width=32), max_size=30),
    st.integers(1, 40),
)
def test_the_order_does_not_depend_on_the_order_of_arrival(scores, k):
    matches = [Match(id=key, score=score) for key, score in scores.items()]
    forward, backward = nearest_first(matches, k), nearest_first(reversed(matches), k)
    assert forward == backward
    assert len(forward) == min(k, len(matches))
    assert [match.score for match in forward] == sorted((match.score for match in forward), reverse=True)
