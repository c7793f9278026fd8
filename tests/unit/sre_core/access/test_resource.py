"""Tests of resources: paths are compared by segments, and no spelling of a path leaves its place."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sre_core.access import Resource
from sre_core.access.resource import MAX_PART_BYTES, split_path
from sre_core.errors import ConfigError

HOME = Resource.parse("storage/agent/a1")

TRICKS = {
    "nothing": "",
    "a parent": "..",
    "a parent of a parent": "../../user/u1/x",
    "a parent inside": "a/../../b",
    "itself": ".",
    "itself inside": "a/./b",
    "absolute": "/etc/passwd",
    "an empty part": "a//b",
    "an end of a folder": "a/",
    "a blank part": "a/ /b",
    "a blank parent": ".. ",
    "a parent after a blank": " ..",
    "NUL": "a\0b",
    "a line end": "a\nb",
    "a tab": "a\tb",
    "an escape character": "a\x1bb",
    "DEL": "a\x7fb",
    "a backslash": "..\\b",
    "a drive": "C:\\x",
    "a full-width parent": "．．",  # noqa: RUF001
    "a full-width parent inside": "a/．．/b",  # noqa: RUF001
    "one-dot leaders": "\u2024\u2024",
    "a two-dot leader": "\u2025",
    "half a leader": ".\u2024/x",
    "a full-width slash": "a／b",  # noqa: RUF001
    "a full-width backslash": "a＼b",  # noqa: RUF001
    "a small backslash": "a\ufe68b",
    "an account-of sign": "\u2100",
    "a zero-width space": "a\u200bb",
    "a zero-width parent": ".\u200b.",
    "a word joiner": ".\u2060./x",
    "a byte order mark": "\ufeffx",
    "a change of direction": "a\u202eb",
    "a soft hyphen": "a\u00adb",
    "a surrogate": "a\ud800",
    "a no-break blank": "\u00a0",
    "a no-break parent": "..\u00a0",
    "too long": "a" * (MAX_PART_BYTES + 1),
    "too long in bytes": "ä" * (MAX_PART_BYTES // 2 + 1),
}


@pytest.mark.parametrize("path", TRICKS.values(), ids=TRICKS)
def test_a_path_that_could_mean_another_place_is_refused(path: str) -> None:
    with pytest.raises(ConfigError) as raised:
        HOME.child(path)
    assert repr(path) in raised.value.message


PLAIN = ["%2e%2e", "..%2fx", "%00", "...", "..a", "a..", "a.", ".hidden", "a b", "-rf", "~", "$HOME", "a:b", "CON", "é"]


@pytest.mark.parametrize("path", PLAIN)
def test_what_only_looks_special_is_a_plain_name(path: str) -> None:
    assert HOME.child(path).parts == (*HOME.parts, path)


@given(st.text(max_size=30))
@example("a/\u0338")
@example("e\u0301/\u0301")
def test_a_path_that_is_not_refused_stays_below_its_place(path: str) -> None:
    try:
        resource = HOME.child(path)
    except ConfigError:
        return
    assert resource.parts[:3] == HOME.parts
    below = resource.parts[3:]
    assert below
    assert all(part and part not in {".", ".."} and "/" not in part and "\0" not in part for part in below)
    # As one text, cut again and normalised again, it is the same: no later step can read it otherwise.
    assert Resource.parse(str(resource)) == resource
    assert unicodedata.normalize("NFC", str(resource)) == str(resource)


@given(st.text(alphabet=" .abé/\\\u0301\u200b%", max_size=8))
def test_the_short_way_for_ascii_decides_like_the_long_one(path: str) -> None:
    def outcome(text: str) -> object:
        try:
            return split_path(text)
        except ConfigError:
            return None

    plain, long = outcome(path), outcome(f"é/{path}")
    assert (plain is None) == (long is None)
    if isinstance(plain, tuple):
        assert long == ("é", *plain)


def test_composed_and_decomposed_spellings_are_one_resource() -> None:
    assert HOME.child("cafe\u0301") == HOME.child("caf\u00e9")
    assert hash(HOME.child("cafe\u0301")) == hash(HOME.child("caf\u00e9"))


def test_capitals_trailing_dots_and_blanks_make_other_resources() -> None:
    assert len({HOME.child(path) for path in ("a1", "A1", "a1.", "a1 ", " a1", "a1..")}) == 6


@pytest.mark.parametrize("other", ["storage/agent/a", "storage/agent/a11", "storage/agent", "cache/agent/a1"])
def test_a_common_beginning_is_not_a_common_place(other: str) -> None:
    assert not Resource.parse(other).is_within(HOME)


def test_a_place_is_within_itself_and_its_parents() -> None:
    child = HOME.child("x/y")
    assert [str(place) for place in child.lineage()] == [
        "storage/agent/a1/x/y",
        "storage/agent/a1/x",
        "storage/agent/a1",
        "storage/agent",
        "storage",
    ]
    assert all(child.is_within(place) for place in child.lineage())
    assert not HOME.is_within(child)
