"""Values become what JavaScript makes of them. The expected texts are the answers of Node.js 20."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.components.javascript import is_truthy, json_text, number_text, query_text, well_formed
from sre_core.errors import ComponentError

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@pytest.mark.parametrize("value", [None, False, 0, 0.0, -0.0, math.nan, ""])
def test_false_is_what_javascript_takes_for_false(value):
    assert not is_truthy(value)


@pytest.mark.parametrize("value", [True, 1, -1, 0.1, math.inf, "0", "false", " ", [], {}, (), b""])
def test_all_else_is_true_also_what_is_empty(value):
    assert is_truthy(value)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1.5, "1.5"),
        (-12.25, "-12.25"),
        (100, "100"),
        (1e20, "100000000000000000000"),
        (123456789012345680000, "123456789012345680000"),
        (1e21, "1e+21"),
        (123456789012345678901234, "1.2345678901234569e+23"),
        (1e300, "1e+300"),
        (0.00001, "0.00001"),
        (0.0000015, "0.0000015"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (5e-324, "5e-324"),
        (9007199254740993, "9007199254740992"),
        (10**309, "Infinity"),
        (-(10**309), "-Infinity"),
        (math.nan, "NaN"),
    ],
)
def test_numbers_are_written_as_javascript_writes_them(number, text):
    assert number_text(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_reads_back_as_it_was(number):
    assert float(number_text(number)) == number


def test_json_is_compact_and_keeps_the_order_of_keys():
    assert (
        json_text({"b": 1.0, "a": [1.5, None, True, "é"], "c": {}, "d": []})
        == '{"b":1,"a":[1.5,null,true,"é"],"c":{},"d":[]}'
    )


def test_keys_that_are_indexes_come_first_in_json_as_in_javascript():
    value = {"b": 1, "2": 1, "1": 1, "01": 3, "4294967295": 5, "4294967294": 6}
    assert json_text(value) == '{"1":1,"2":1,"4294967294":6,"b":1,"01":3,"4294967295":5}'


def test_json_escapes_what_javascript_escapes_and_no_more():
    text = 'é\u2028\u007f\u0001\b\f\n\r\t"\\/\ud83d'
    assert json_text(text) == '"é\u2028\u007f\\u0001\\b\\f\\n\\r\\t\\"\\\\/\\ud83d"'


def test_json_has_null_for_numbers_that_are_none():
    assert json_text([math.nan, math.inf, -math.inf, 10**400]) == "[null,null,null,null]"


@given(PLAIN)
def test_json_reads_back_as_the_value(value):
    assert json.loads(json_text(value), parse_int=float) == value


def test_json_of_a_value_that_is_too_deep_or_contains_itself_is_refused():
    endless = []
    endless.append(endless)
    with pytest.raises(ComponentError, match="10000 levels"):
        json_text(endless)


def test_json_may_be_nested_deeper_than_calls_can_be():
    value = {}
    for _ in range(4000):
        value = {"a": [value]}
    assert json_text(value) == '{"a":[' * 4000 + "{}" + "]}" * 4000


def test_json_of_what_json_cannot_hold_is_refused():
    with pytest.raises(ComponentError, match="'bytes'"):
        json_text({"a": b"x"})


def test_a_query_is_written_as_node_writes_it():
    value = {"a": 1, "b": [1, "x", None, True], "c": None, "d": {"x": 1}, "e": "é &=+ ~!*'()", "f": 1e21, "g": 1e-7}
    value |= {"h": False, "i": math.nan, "j": "", "none": []}
    assert query_text(value) == (
        "a=1&b=1&b=x&b=&b=true&c=&d=&e=%C3%A9%20%26%3D%2B%20~!*'()&f=1e%2B21&g=1e-7&h=false&i=&j="
    )


def test_a_query_of_a_list_has_its_indexes():
    assert query_text(["a", "b"]) == "0=a&1=b"


@pytest.mark.parametrize("value", ["abc", 5, None, True])
def test_a_query_of_a_plain_value_is_empty(value):
    assert query_text(value) == ""


def test_a_value_cannot_add_a_parameter_to_a_query():
    assert query_text({"a": "1&admin=true", "b=c&d": "x"}) == "a=1%26admin%3Dtrue&b%3Dc%26d=x"


def test_half_a_surrogate_pair_becomes_the_replacement_character():
    assert well_formed("a\ud83db") == "a\ufffdb"
