"""Server-sent events: the parser against the letter of the HTML standard, on any bytes cut anywhere."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_openai import events
from sre_openai.events import EventParser

PIECES = st.sampled_from(
    [b"data", b"data:", b"data: ", b": comment", b"event: x", b"id", b"x", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"{}"]
)


def by_the_letter(text: bytes) -> list[bytes]:
    """Section 9.2.6, step by step, on a stream that is there as a whole."""
    lines = re.split(rb"\r\n|\n|\r", text.removeprefix(b"\xef\xbb\xbf"))
    found, data = [], b""
    # What follows the last line end is no line yet.
    for line in lines[:-1]:
        if not line:
            if data:
                found.append(data.removesuffix(b"\n"))
            data = b""
            continue
        name, colon, value = line.partition(b":")
        if colon and value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            data += value + b"\n"
    return found


def fed(text: bytes, cuts: list[int]) -> list[bytes]:
    parser, found = EventParser(), []
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    for start, end in itertools.pairwise(places):
        found += parser.feed(text[start:end])
    return found


@given(st.lists(PIECES, max_size=30).map(b"".join), st.lists(st.integers(min_value=0), max_size=8), st.booleans())
def test_any_stream_gives_the_events_of_the_standard_wherever_it_is_cut(text: bytes, cuts: list[int], marked: bool):
    text = b"\xef\xbb\xbf" + text if marked else text
    assert fed(text, cuts) == by_the_letter(text)


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0), max_size=8))
def test_any_bytes_give_the_events_of_the_standard(text: bytes, cuts: list[int]):
    assert fed(text, cuts) == by_the_letter(text)


def test_events_come_as_soon_as_they_are_whole():
    parser = EventParser()
    assert parser.feed(b"data: one\n") == []
    assert parser.feed(b"\ndata: t") == [b"one"]
    assert parser.feed(b"wo\r\n\r") == [b"two"]
    assert parser.feed(b"\n: keep-alive\n\ndata:a\ndata: b\n\n") == [b"a\nb"]


def test_an_event_without_end_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(events, "LARGEST_EVENT", 10)
    with pytest.raises(ValueError, match="does not end"):
        EventParser().feed(b"data: " + b"x" * 10)
    parser = EventParser()
    # What has ended counts no more.
    assert [parser.feed(piece) for piece in (b"data: 12", b"\n", b"\ndata: 3", b"\n\n")] == [[], [], [b"12"], [b"3"]]
    parser.feed(b"data: ")
    parser.feed(b"1234")
    with pytest.raises(ValueError, match="does not end"):
        parser.feed(b"5")
