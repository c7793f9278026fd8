"""Keys and notes in a bucket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_aws.s3.keys import LONGEST, Keys
from sre_core.errors import ConfigError

_PARTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8)
_KEYS = (
    st.lists(_PARTS.filter(lambda part: part not in {".", ".."}), min_size=1, max_size=3)
    .map("/".join)
    .filter(lambda key: not key.startswith(".sre/"))
)
KEYS = Keys("apps/notes")


@given(_KEYS)
def test_an_object_lies_under_its_own_name_below_the_prefix(key: str) -> None:
    assert KEYS.theirs(key) == f"apps/notes/{key}"
    assert KEYS.ours(KEYS.theirs(key)) == key


@given(_KEYS, st.integers(0, 10**12))
def test_a_note_tells_key_and_time(key: str, milliseconds: int) -> None:
    assert KEYS.read_note(KEYS.note(key, milliseconds / 1000)) == (key, milliseconds / 1000)


@given(st.lists(_KEYS, min_size=2, max_size=6, unique=True))
def test_notes_have_the_order_of_keys(keys: list[str]) -> None:
    in_order_of_bytes = sorted(keys, key=lambda key: KEYS.note(key, 1.0).encode())
    assert in_order_of_bytes == sorted(keys)


@given(_KEYS, _KEYS)
def test_notes_lie_below_a_prefix_as_their_objects_do(key: str, prefix: str) -> None:
    below = KEYS.theirs(key).startswith(KEYS.below(prefix))
    assert KEYS.note(key, 1.0).startswith(KEYS.notes_below(prefix)) == below


@pytest.mark.parametrize("name", ["a", "a 1x", "a!g0 1", "a\u00e9 "])
def test_what_is_no_note_of_ours_is_left_alone(name: str) -> None:
    assert KEYS.read_note(f"apps/notes/.sre/expiry/{name}") is None


@pytest.mark.parametrize(
    "name", ["apps/notes/.sre/expiry/a 1", "apps/notes/folder/", "apps/notes//a", "apps/notes/a/../b"]
)
def test_notes_and_marks_of_folders_and_what_is_no_path_are_no_objects(name: str) -> None:
    assert KEYS.ours(name) is None


def test_the_place_of_our_notes_is_no_key() -> None:
    with pytest.raises(ConfigError, match="notes"):
        KEYS.theirs(".sre/expiry/a")


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "a/../b", ".", "a\0", "\ud800"])
def test_what_is_no_path_of_plain_names_is_no_key(key: str) -> None:
    with pytest.raises(ConfigError):
        KEYS.theirs(key)


def test_a_key_may_have_as_many_bytes_as_s3_takes() -> None:
    room = LONGEST - len("apps/notes/")
    assert len(KEYS.theirs("\u00e9" * (room // 2)).encode()) <= LONGEST
    with pytest.raises(ConfigError, match="1024 bytes"):
        KEYS.theirs("\u00e9" * (room // 2 + 1))


def test_a_key_that_is_too_long_for_a_note_cannot_expire() -> None:
    with pytest.raises(ConfigError, match="expires"):
        KEYS.note("a" * 1000, 1.0)
