"""Metadata and conditions in Pinecone's forms, judged by filters that are as strict as its guide."""

import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sre_core.builtin.vector_filter import predicate
from sre_core.connectors.vectors import Comparison, Condition, Scalar, VectorRecord
from sre_core.errors import ConfigError
from sre_pinecone.filters import NOTHING, filter_of
from sre_pinecone.metadata import EXACT, key_of, pack, unpack

from .fake_filters import check, meets  # noqa: TID252 -- the folder of tests is no package

TEXTS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=8)
FIELDS = st.sampled_from(["x", "a b", "$ne", "x.y", "日本", "", "text", "int"])
NUMBERS = [0, 1, -1, 2020, EXACT - 1, EXACT, EXACT + 1, -(10**30), 0.5, 1.0, 1e300, 5e-324, 2**70]
KEPT: st.SearchStrategy[Scalar] = (
    TEXTS | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
) | st.sampled_from(NUMBERS)
ASKED = KEPT | st.sampled_from([math.nan, math.inf, -math.inf, 10**400, -(10**400), "\ud800"])
ORDERED = [Comparison.GT, Comparison.GTE, Comparison.LT, Comparison.LTE]
CONDITIONS = st.builds(Condition, FIELDS, st.sampled_from([*ORDERED, Comparison.EQ, Comparison.NE]), ASKED) | st.builds(
    Condition, FIELDS, st.sampled_from([Comparison.IN, Comparison.NIN]), st.lists(ASKED, max_size=5).map(tuple)
)
METADATA = st.dictionaries(FIELDS, KEPT, max_size=4)


def stored(metadata: dict[str, Scalar], text: str = "") -> dict[str, Any]:
    """As it comes back: whole numbers are floating-point ones by then."""
    packed = json.loads(json.dumps(pack(VectorRecord(id="r", vector=[1], metadata=metadata, text=text))))
    return {
        key: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for key, value in packed.items()
    }


@given(METADATA, TEXTS)
def test_metadata_and_text_come_back_as_they_were_with_their_types(metadata, text):
    found, said = unpack(stored(metadata, text))
    assert (found, said) == (metadata, text)
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in metadata.items()
    }


def test_values_of_different_kinds_are_kept_under_different_keys():
    assert [pack(VectorRecord(id="r", vector=[1], metadata={"x": value})) for value in ("1", 1.5, True)] == [
        {"s_x": "1"},
        {"n_x": 1.5},
        {"b_x": 1},
    ]


@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=20))
def test_no_key_begins_with_a_dollar_or_has_a_character_that_means_something(field):
    assert key_of("s", field).replace("%", "").replace("_", "").isalnum()


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400, None, [1], b"x"])
def test_what_pinecone_cannot_keep_is_refused_by_name(value):
    with pytest.raises(ConfigError, match="'r1'"):
        pack(VectorRecord(id="r1", vector=[1], metadata={"field": value}))


def test_what_others_have_put_there_is_left_out():
    assert unpack({"genre": "comedy", "n_year": 2019.0, "x": 1, "int": 5}) == ({"year": 2019.0}, "")


@given(st.lists(CONDITIONS, max_size=3), METADATA)
@example([Condition("x", Comparison.NE, EXACT)], {"x": EXACT + 1})
@example([Condition("x", Comparison.GT, EXACT)], {"x": EXACT + 1})
@example([Condition("x", Comparison.EQ, EXACT + 1)], {"x": EXACT + 1})
@example([Condition("x", Comparison.GT, "a")], {"x": "b"})
@example([Condition("x", Comparison.NE, 1)], {"x": True})
@example([Condition("x", Comparison.NE, 1)], {})
def test_the_filter_leaves_nobody_out_and_is_exact_where_it_can_be(where, metadata):
    filter_ = filter_of(where)
    wanted = predicate(where)(metadata)
    if filter_ is NOTHING:
        assert not wanted
        return
    if filter_ is not None:
        check(filter_)
    found = meets(filter_ or {}, stored(metadata))
    assert found or not wanted
    small = [*metadata.values(), *(value for condition in where for value in as_tuple(condition.value))]
    if all(is_exact(value) for value in small) and not any(
        isinstance(condition.value, str) and condition.comparison in ORDERED for condition in where
    ):
        assert found == wanted


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def is_exact(value: Scalar) -> bool:
    if isinstance(value, str):
        return value != "\ud800"
    return math.isfinite(value) and abs(value) < EXACT if abs(value) < 10**300 else False


def test_conditions_on_nothing_make_no_filter():
    assert filter_of([]) is None
    assert filter_of([Condition("x", Comparison.NIN, ())]) is None
    assert filter_of([Condition("x", Comparison.NE, math.nan)]) is None


def test_what_nobody_can_meet_is_not_asked():
    assert filter_of([Condition("x", Comparison.IN, ())]) is NOTHING
    assert filter_of([Condition("y", Comparison.EQ, 1), Condition("x", Comparison.GT, math.nan)]) is NOTHING


def test_long_lists_are_split():
    filter_ = filter_of([Condition("x", Comparison.IN, tuple(range(25_000)))])
    assert filter_ is not None
    check(filter_)
    assert [len(part["n_x"]["$in"]) for part in filter_["$or"]] == [10_000, 10_000, 5_000]
    filter_ = filter_of([Condition("x", Comparison.NIN, tuple(range(25_000)))])
    assert filter_ is not None
    check(filter_)
    assert len(filter_["$and"]) == 3
