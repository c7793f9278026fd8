"""Whole characters."""

import codecs

from hypothesis import given
from hypothesis import strategies as st

from sre_smollm.writing.detokenizer import Detokenizer


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


def test_the_decoder_marks_bytes_that_are_no_text():
    assert Detokenizer(lambda _: b"\xff").push(1) == codecs.decode(b"\xff", "utf-8", "replace")
