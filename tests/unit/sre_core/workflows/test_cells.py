"""Text and lines in the cells of a terminal."""

import pytest

from sre_core.workflows.cells import Grid, clean, cut, width


def test_nothing_that_a_terminal_obeys_is_left():
    assert clean("a\x1b[31mb\n\tc\u202ed\ud800") == "a\ufffd[31mb c\ufffdd\ufffd"


@pytest.mark.parametrize(("text", "cells"), [("", 0), ("abc", 3), ("你好", 4), ("e\u0301", 1), ("a🎈", 3)])
def test_a_text_takes_as_many_cells_as_a_terminal_gives_it(text, cells):
    assert width(text) == cells


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("你好吗", 5, "你好…"),
        ("你好吗", 4, "你…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_a_text_is_cut_to_its_room(text, room, shown):
    assert cut(text, room) == shown
    assert width(shown) <= room


def test_lines_that_meet_become_one():
    grid = Grid()
    grid.box(0, 0, 2, 4)
    grid.line([(1, 4), (1, 6), (2, 6)])
    grid.line([(0, 2), (2, 2)])
    assert str(grid) == "┌─┬─┐\n│ │ ├─┐\n└─┴─┘ ╵"


def test_a_wide_letter_takes_two_cells():
    grid = Grid()
    grid.write(0, 0, "你e\u0301b")
    grid.line([(1, 0), (1, 3)])
    assert str(grid) == "你e\u0301b\n╶──╴"


def test_an_empty_grid_is_an_empty_text():
    assert str(Grid()) == ""
