from typing import Any

import pytest

from sre_core.components.path import MISSING, look_up, path_flaw, split_path


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("a", ("a",)),
        ("a.b[0].c", ("a", "b", "0", "c")),
        ("a[0][1]", ("a", "0", "1")),
        ("..a..", ("a",)),
        ("", ()),
        ("[]", ()),
        ("a b.c-d", ("a b", "c-d")),
    ],
)
def test_dots_and_brackets_separate_alike(path: str, parts: tuple[str, ...]) -> None:
    assert split_path(path) == parts


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("items[1].id", 2),
        ("items.0", {"id": 1}),
        ("none", None),
        ("items[2]", MISSING),
        ("items[-1]", MISSING),
        ("items[\u0661]", MISSING),
        ("items[" + "9" * 5000 + "]", MISSING),
        ("items.append", MISSING),
        ("text[0]", MISSING),
        ("none.x", MISSING),
        ("pair[1]", "b"),
        ("none.length", MISSING),
        ("number.length", MISSING),
    ],
)
def test_a_path_leads_into_mappings_and_lists_alone(path: str, found: Any) -> None:
    value = {"items": [{"id": 1}, {"id": 2}], "none": None, "text": "abc", "pair": ("a", "b"), "number": 5}
    assert look_up(value, split_path(path)) == found


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("items.length", 2),
        ("items[length]", 2),
        ("pair.length", 2),
        ("empty.length", 0),
        ("text.length", 3),
        ("smile.length", 2),
        ("half.length", 1),
        ("rope.length", "5 m"),
        ("rope.length.length", 3),
        ("items.length.x", MISSING),
    ],
)
def test_a_path_may_end_in_the_length_of_a_list_or_a_text(path: str, found: Any) -> None:
    value = {
        "items": [1, 2],
        "pair": ("a", "b"),
        "empty": [],
        "text": "abc",
        "smile": "\U0001f600",
        "half": "\ud83d",
        "rope": {"length": "5 m"},
    }
    assert look_up(value, split_path(path)) == found


def test_an_empty_path_is_the_value_itself() -> None:
    assert look_up({"a": 1}, ()) == {"a": 1}


def test_nothing_is_told_apart_from_none_and_is_false() -> None:
    assert look_up({"a": None}, ("a",)) is None
    assert not MISSING
    assert repr(MISSING) == "MISSING"


@pytest.mark.parametrize("path", ["", "a", "a.b", "a[0].b[c]", "[0]", "a.b[0]"])
def test_a_path_that_is_written_well_has_no_flaw(path):
    assert path_flaw(path) == ""


@pytest.mark.parametrize("path", ["a[", "a]", "a[[0]]", "a[0", "]a[", "[" * 100_000])
def test_brackets_that_do_not_pair_are_a_flaw(path):
    assert path_flaw(path) == "has a bracket without its other one"


def test_a_dot_at_the_end_is_a_flaw():
    assert path_flaw("a.b.") == "ends with a dot"
