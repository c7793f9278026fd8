"""Places in a JSON text: by line and column, and by the way to a key."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.workflows.json_places import opening_deeper_than, position, repeated_keys, scalar

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@pytest.mark.parametrize(("start", "place"), [(0, (1, 1)), (2, (1, 3)), (3, (2, 1)), (5, (2, 3))])
def test_lines_and_columns_are_counted_from_one(start, place):
    assert position("ab\ncde", start) == place


def test_a_number_is_found_outside_of_texts_and_keys():
    text = r'{"1e9": "1e9 \" 1e9", "a": [1, 1e9]}'
    assert scalar(text, "1e9") == text.rindex("1e9")
    assert scalar(text, "NaN") is None


def test_an_opening_bracket_that_lies_too_deep_is_found():
    assert opening_deeper_than('[[], "[[[", {"[": [1]}]', 2) == 18
    assert opening_deeper_than('[[], "[[[", {"[": [1]}]', 3) is None


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        ('{"a": 1, "b": {"a": 2}}', []),
        ('{"a": "a", "a": 1}', [("a",)]),
        (r'{"a\"b": 1, "x": "y", "a\u0022b": 2}', [('a"b',)]),
        ('[[1, 2], {"x": {"y": 1, "y": 1}}]', [(1, "x", "y")]),
        ('{"a": {"b": 1, "b": 1}, "a": {"b": 1}}', [("a", "b"), ("a",)]),
        ('"a"', []),
        ("{}", []),
    ],
)
def test_repeated_keys_are_found_with_the_way_to_them(text, ways):
    assert [found.keys for found in repeated_keys(text)] == ways


@given(JSON, st.sampled_from([None, 2]), st.booleans())
def test_no_key_of_a_value_that_was_written_is_repeated(value, indent, ascii_only):
    assert list(repeated_keys(json.dumps(value, indent=indent, ensure_ascii=ascii_only))) == []


@given(st.text())
def test_any_text_can_be_searched(text):
    scalar(text, "NaN")
    opening_deeper_than(text, 3)
