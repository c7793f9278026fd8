"""Single fields are read with patience, and a wrong kind of value is noted."""

import pytest

from sre_core.workflows.problem import Place
from sre_core.workflows.smyth_fields import Fields


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (None, ""), (3, "3"), (1.5, "1.5")])
def test_a_text_may_be_a_number(value, text):
    fields = Fields()
    assert fields.text({"k": value}, "k", Place()) == text
    assert fields.problems == []


@pytest.mark.parametrize("value", [True, [], {}])
def test_other_values_are_no_text(value):
    fields = Fields()
    assert fields.text({"k": value}, "k", Place("x")) == ""
    assert [problem.path for problem in fields.problems] == ["x.k"]


@pytest.mark.parametrize("value", ["maybe", 2, 0.5, []])
def test_only_some_words_and_numbers_are_flags(value):
    fields = Fields()
    assert fields.flag({"k": value}, "k", Place()) is False
    assert len(fields.problems) == 1


@pytest.mark.parametrize(
    ("value", "port"), [("b", 1), ("0", 0), ("-1", -1), (2, 2), (2.0, 2), ("c", None), ("9" * 5000, None)]
)
def test_a_port_is_found_by_name_or_position(value, port):
    fields = Fields()
    assert fields.port({"k": value}, "k", Place(), {"a": 0, "b": 1}.get) == port
    assert fields.problems == []


def test_the_items_of_a_list_keep_their_positions():
    fields = Fields()
    found = [(raw, place.path) for raw, place in fields.objects({"k": [{}, 1, {"a": 2}]}, "k", Place())]
    assert found == [({}, "k[0]"), (None, "k[1]"), ({"a": 2}, "k[2]")]
    assert [problem.path for problem in fields.problems] == ["k[1]"]
