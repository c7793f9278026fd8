"""Whole characters, and stop sequences that never show."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_smollm.writing.detokenizer import Detokenizer, StopFilter


def _byte(token: int) -> bytes:
    return bytes([token])


@given(st.text())
def test_bytes_one_by_one_become_the_same_text(text):
    detokenizer = Detokenizer(_byte)
    pieces = [detokenizer.push(byte) for byte in text.encode("utf-8", "ignore")]
    assert "".join(pieces) == text.encode("utf-8", "ignore").decode()


def test_an_unfinished_character_is_held_back():
    detokenizer = Detokenizer(_byte)
    first, second, third, fourth = "😀".encode()
    assert [detokenizer.push(byte) for byte in (first, second, third)] == ["", "", ""]
    assert detokenizer.push(fourth) == "😀"


@given(st.text("ab", max_size=30), st.lists(st.text("ab", min_size=1, max_size=4), max_size=3))
def test_text_ends_before_the_first_stop_sequence_whatever_the_pieces(text, stops):
    sieve = StopFilter(stops)
    shown = "".join(sieve.push(letter) for letter in text) + sieve.flush()
    # Letter by letter, the first stop sequence to be complete is the one that counts.
    ends = [end for end in range(len(text) + 1) if any(text[:end].endswith(stop) for stop in stops)]
    if not ends:
        assert shown == text
        assert not sieve.found
        return
    assert sieve.found in stops
    assert text[: ends[0]] == shown + sieve.found
    assert not any(stop in shown for stop in stops)


def test_what_may_become_a_stop_sequence_is_held_back():
    sieve = StopFilter(["</end>"])
    assert sieve.push("text </e") == "text "
    assert sieve.push("m>") == "</em>"
    assert sieve.push("x</end>y") == "x"
    assert (sieve.found, sieve.rest) == ("</end>", "y")
    assert sieve.push("more") == ""


@pytest.mark.parametrize("stops", [[], [""]])
def test_without_stop_sequences_everything_goes_through(stops):
    sieve = StopFilter(stops)
    assert sieve.push("abc") == "abc"


def test_the_decoder_marks_bytes_that_are_no_text():
    assert Detokenizer(lambda _: b"\xff").push(1) == codecs.decode(b"\xff", "utf-8", "replace")
