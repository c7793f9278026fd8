"""Stop sequences that the connector itself looks for."""

from hypothesis import given
from hypothesis import strategies as st

from sre_openai.stops import StopCutter

LETTERS = st.text("ab", max_size=12)


@given(st.lists(LETTERS, max_size=10), st.lists(LETTERS.filter(bool), max_size=3))
def test_text_ends_before_the_first_stop_sequence_however_it_comes(texts: list[str], stops: list[str]):
    cutter = StopCutter(stops)
    shown = "".join(cutter.feed(text) for text in texts) + cutter.rest()
    whole = "".join(texts)
    assert cutter.stopped == any(stop in whole for stop in stops)
    assert not any(stop in shown for stop in stops)
    assert whole.startswith(shown)
    if cutter.stopped:
        assert any(whole.startswith(stop, len(shown)) for stop in stops)
    else:
        assert shown == whole


def test_nothing_is_held_back_that_can_begin_no_stop_sequence():
    cutter = StopCutter(["\n\n", ""])
    assert cutter.feed("Hello") == "Hello"
    assert cutter.feed(" you\n") == " you"
    assert cutter.feed("and") == "\nand"
    assert cutter.feed("\n\nmore") == ""
    assert cutter.feed("more") == ""
    assert cutter.rest() == ""
