"""Keys become file names that are legal, distinct and readable everywhere."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sre_core.builtin.local_paths import OBJECT, check_key, decode_name, encode_key, encode_part
from sre_core.errors import ConfigError

PARTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=300).filter(
    lambda part: part not in {".", ".."}
)
# Those that come near to a rule.
TRICKY = st.text(st.sampled_from("aAbB. %=+@~40é"), min_size=1, max_size=170).filter(
    lambda part: part not in {".", ".."}
)


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("notes.txt", ("notes.txt",)),
        ("my notes (2).txt", ("my notes %282%29.txt",)),
        ("README.md", ("README.md=3f",)),
        ("aB", ("aB=2",)),
        ("Zo\u00eb", ("Zo%c3%ab=1",)),
        (".hidden", ("%2ehidden",)),
        ("end.", ("end%2e",)),
        ("end ", ("end%20",)),
        ("con", ("%63on",)),
        ("Com1.txt", ("%43om1.txt=1",)),
        ("console", ("console",)),
        ("a~1", ("a%7e1",)),
        ("100%", ("100%25",)),
        ("x" * 160, ("x" * 160,)),
        ("x" * 161, ("x" * 160 + "+", "x")),
    ],
)
def test_a_part_is_written_so_that_people_recognise_it(part, names):
    assert encode_part(part) == names


@given(st.one_of(PARTS, TRICKY), st.one_of(PARTS, TRICKY))
@example("A", "a")
@example("a", "a=1")
@example("\u00e4", "a\u0308")
@example("x" * 161, "x" * 160)
@example("\u0130", "i")
def test_different_parts_have_different_names_where_case_is_ignored(one, other):
    same = [name.casefold() for name in encode_part(one)] == [name.casefold() for name in encode_part(other)]
    assert same == (one == other)


@given(st.one_of(PARTS, TRICKY))
@example("CON")
@example(" . ")
@example("A" * 500)
@example("\U0001f600" * 128)
def test_names_are_legal_everywhere_and_lead_back_to_the_part(part):
    names = encode_part(part)
    for name in names:
        written = name + OBJECT
        assert len(written) < 255
        assert written.isascii()
        assert not set(written) & set('<>:"/\\|?*~\0')
        assert not name.startswith((".", " "))
        assert not name.endswith((".", " "))
        assert name.casefold().partition(".")[0] not in {"con", "prn", "aux", "nul", "com1", "lpt9"}
        assert OBJECT not in name
    decoded = [decode_name(name) for name in names]
    assert b"".join(piece for piece, _ in decoded).decode() == part
    assert [goes_on for _, goes_on in decoded] == [True] * (len(names) - 1) + [False]
    # Also when the file system gives names back in capitals, or without any.
    assert [decode_name(name.lower()) for name in names] == decoded
    assert [decode_name(name.upper()) for name in names] == decoded


@pytest.mark.parametrize("name", [".temp", ".DS_Store", "notes~", "a+b", "a@sre.bak", "=3", "", "\u00e4"])
def test_a_foreign_name_stands_for_nothing_or_for_a_part_that_is_written_otherwise(name):
    decoded = decode_name(name)
    assert decoded is None or encode_part(decoded[0].decode()) != (name,)


def test_an_object_and_its_folder_have_different_names():
    assert encode_key(("a",)) == ((), "a@sre")
    assert encode_key(("a", "b")) == (("a",), "b@sre")


@pytest.mark.parametrize("key", ["", "/", "a/", "/a", "a//b", ".", "..", "a/../b", "a/./b", "a\0", "\udfff"])
def test_a_key_that_could_mean_another_place_is_refused(key):
    with pytest.raises(ConfigError, match="illegal key"):
        check_key(key)


def test_a_key_is_cut_into_its_parts():
    assert check_key("agent/a1/...") == ("agent", "a1", "...")
