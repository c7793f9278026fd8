"""JSON texts: what is kept, and what cannot be."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.workflows.json_places import Repeated
from sre_core.workflows.json_text import DEPTH, dump, kind, parse, same

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@given(JSON, st.sampled_from([None, 0, 4]))
def test_every_value_is_written_and_read_as_it_was(value, indent):
    text = dump(value, indent=indent)
    assert parse(text.encode("utf-8")).value == value
    assert same(parse(text).value, value)


def test_a_value_may_lie_as_deep_as_the_limit_and_no_deeper():
    assert parse(nested(DEPTH)).value == json.loads(nested(DEPTH))
    with pytest.raises(ValueError, match="more than 200 deep"):
        parse(nested(DEPTH + 1))


def test_repeated_keys_are_named_once_each_with_their_last_place():
    parsed = parse('{"a": 1, "a": 2,\n "b": [0, {"c": 1, "c": 2, "c": 3}]}')
    assert parsed.value == {"a": 2, "b": [0, {"c": 3}]}
    assert parsed.repeated == (
        Repeated(keys=("b", 1, "c"), line=2, column=28),
        Repeated(keys=("a",), line=1, column=10),
    )
    many = ", ".join(f'"k{number}": 1' for number in range(100_000))
    assert [found.keys for found in parse(f'{{{many}, "k7": 2}}').repeated] == [("k7",)]


def test_a_value_that_contains_itself_cannot_be_written():
    value: list[object] = []
    value.append(value)
    with pytest.raises(ValueError, match="Circular"):
        dump(value)


def test_a_value_that_is_a_bomb_cannot_be_written():
    value: list[object] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="more than 200 deep"):
        dump(value)


@pytest.mark.parametrize(("one", "other"), [(1, True), (1, 1.0), (0, False), (None, False), ("1", 1), ([], {})])
def test_values_of_other_types_are_not_the_same(one, other):
    assert not same(one, other)
    assert not same({"a": [one]}, {"a": [other]})


def test_the_order_of_keys_counts():
    assert same({"a": 1, "b": 2}, {"a": 1, "b": 2})
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert not same({"a": 1}, {"a": 1, "b": 2})
    assert not same([1], [1, 2])


@pytest.mark.parametrize(
    ("value", "word"),
    [(None, "null"), ({}, "an object"), ([], "a list"), ("", "a text"), (True, "true or false"), (1.5, "a number")],
)
def test_each_kind_of_value_has_a_plain_name(value, word):
    assert kind(value) == word
