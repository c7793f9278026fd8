"""Stop sequences that never show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.connectors.stop_filter import StopFilter

LETTERS = st.text("ab", max_size=12)


@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=4), max_size=3))
def test_letter_by_letter_the_first_stop_sequence_to_be_complete_counts(text: str, stops: list[str]):
    sieve = StopFilter(stops)
    shown = "".join(sieve.push(letter) for letter in text) + sieve.flush()
    ends = [end for end in range(len(text) + 1) if any(text[:end].endswith(stop) for stop in stops)]
    if not ends:
        assert shown == text
        assert not sieve.found
        return
    assert sieve.found in stops
    assert text[: ends[0]] == shown + sieve.found
    assert not any(stop in shown for stop in stops)


@given(st.lists(LETTERS, max_size=10), st.lists(LETTERS.filter(bool), max_size=3))
def test_text_ends_before_the_first_stop_sequence_however_it_comes(texts: list[str], stops: list[str]):
    sieve = StopFilter(stops)
    shown = "".join(sieve.push(text) for text in texts) + sieve.flush()
    whole = "".join(texts)
    assert bool(sieve.found) == any(stop in whole for stop in stops)
    assert not any(stop in shown for stop in stops)
    assert whole.startswith(shown + sieve.found)
    if not sieve.found:
        assert shown == whole


def test_what_may_become_a_stop_sequence_is_held_back():
    sieve = StopFilter(["</end>"])
    assert sieve.push("text </e") == "text "
    assert sieve.push("m>") == "</em>"
    assert sieve.push("x</end>y") == "x"
    assert (sieve.found, sieve.rest) == ("</end>", "y")
    assert sieve.push("more") == ""
    assert sieve.flush() == ""


def test_nothing_is_held_back_that_can_begin_no_stop_sequence():
    sieve = StopFilter(["\n\n"])
    assert sieve.push("Hello") == "Hello"
    assert sieve.push(" you\n") == " you"
    assert sieve.push("and\n") == "\nand"
    assert sieve.flush() == "\n"


@pytest.mark.parametrize("stops", [[], [""]])
def test_without_stop_sequences_everything_goes_through(stops: list[str]):
    assert StopFilter(stops).push("abc") == "abc"
