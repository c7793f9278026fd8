"""A text is cut into chunks where it has ends, and nothing of it is lost."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.documents.chunk import Chunk, split
from sre_core.errors import ConfigError

WORDS = st.text(alphabet="ab.!? \n\t\r。é👩‍👩", max_size=400) | st.text(max_size=200)


@st.composite
def cuts(draw: st.DrawFn) -> tuple[str, int, int]:
    size = draw(st.integers(1, 60))
    return draw(WORDS), size, draw(st.integers(0, size // 2))


@given(cuts())
def test_chunks_without_their_overlaps_are_the_text(cut: tuple[str, int, int]) -> None:
    text, size, overlap = cut
    joined = ""
    for chunk in split(text, size=size, overlap=overlap):
        assert chunk.text == text[chunk.start : chunk.end]
        assert 0 < len(chunk.text) <= size
        assert 0 <= len(joined) - chunk.start <= overlap
        joined += chunk.text[len(joined) - chunk.start :]
    assert joined == text


@given(cuts())
def test_every_chunk_brings_something_new(cut: tuple[str, int, int]) -> None:
    text, size, overlap = cut
    ends = [chunk.end for chunk in split(text, size=size, overlap=overlap)]
    assert ends == sorted(set(ends))


def test_an_empty_text_has_no_chunks() -> None:
    assert list(split("")) == []


def test_a_short_text_is_one_chunk() -> None:
    assert list(split("one two")) == [Chunk("one two", 0)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One line here. And\n\nmore. Or more", ["One line here. And\n\n", "more. Or more"]),
        ("One line here. And\nmore. Or a lot more", ["One line here. And\n", "more. Or a lot more"]),
        ("One line here. And more of this", ["One line here. ", "And more of this"]),
        ("One line here and more of this one", ["One line here and ", "more of this one"]),
        ("x" * 25, ["x" * 20, "x" * 5]),
    ],
    ids=["paragraph", "line", "sentence", "word", "character"],
)
def test_a_chunk_ends_at_the_strongest_separator(text: str, expected: list[str]) -> None:
    assert [chunk.text for chunk in split(text, size=20, overlap=0)] == expected


def test_an_overlap_begins_with_a_sentence_if_one_begins_there() -> None:
    text = "Alpha is first. Beta is second. Gamma is third. Delta is fourth. Epsilon is fifth."
    chunks = [chunk.text for chunk in split(text, size=50, overlap=25)]
    assert chunks[0] == "Alpha is first. Beta is second. Gamma is third. "
    assert chunks[1].startswith("Gamma is third. Delta")


def test_an_overlap_begins_with_a_word_else() -> None:
    text = "alpha beta gamma delta epsilon zeta eta theta"
    chunks = [chunk.text for chunk in split(text, size=20, overlap=8)]
    assert chunks[:2] == ["alpha beta gamma ", "gamma delta epsilon "]


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (-1, 0), (10, 6), (10, 10), (10, -1)])
def test_an_overlap_of_more_than_half_is_refused(size: int, overlap: int) -> None:
    with pytest.raises(ConfigError, match="overlap"):
        split("text", size=size, overlap=overlap)


@pytest.mark.parametrize("unit", ["word ", "\n", " ", "x", "a.\n\n", ". "])
def test_the_work_grows_no_faster_than_the_text(unit: str) -> None:
    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            for _ in split(text):
                pass
            best = min(best, time.process_time() - began)
        return best

    # Ten times the text: ten times the work, and not a hundred times.
    assert seconds(5_000_000) < 30 * max(seconds(500_000), 0.001)
