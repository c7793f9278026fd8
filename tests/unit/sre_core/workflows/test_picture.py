"""Nodes are where the file has them, or else in columns."""

import pytest

from sre_core.workflows import smyth
from sre_core.workflows.graph import Workflow
from sre_core.workflows.picture import Box, boxes, positions
from tests.unit.sre_core.workflows.smyth_files import FOLDER, REAL, agent, component, link, text


def placed(*components, links=()):
    return boxes(smyth.read(text(agent(*components, links=links))))


def overlap(one: Box, other: Box) -> bool:
    across = one.left < other.left + other.width and other.left < one.left + one.width
    return across and one.top < other.top + other.height and other.top < one.top + one.height


def test_a_real_files_positions_are_kept():
    found = boxes(smyth.read_file(FOLDER / "async-await-foreach-tests.smyth"))
    assert (found["CLZH0ELUNYD"].left, found["CLZH0ELUNYD"].top) == (522, 305)
    assert found["LZH8CSZSHW7"].width == 134.986


@pytest.mark.parametrize(
    ("given", "left"),
    [("12px", 12), (" -12.5px ", -12.5), ("7", 7), (7, 7), ("9999999999px", 100_000), (-1e30, -100_000)],
)
def test_a_length_may_be_written_in_several_ways(given, left):
    assert placed(component("A", left=given, top="0px"))["A"].left == left


@pytest.mark.parametrize("given", ["", None, "12em", "auto", [], True, "\u0661px", "1e3px", "9" * 5000])
def test_a_length_that_is_none_counts_as_missing(given):
    assert placed(component("A", left=given, top="5px"))["A"].top == 0


def test_widths_stay_within_limits():
    found = placed(component("A", width="1px"), component("B", width="9999px"), component("C", width=""))
    assert [box.width for box in found.values()] == [120, 700, 220]


def test_nodes_without_positions_stand_in_columns_along_the_links():
    found = placed(*map(component, "ABCD"), links=[link("A", "B"), link("B", "C"), link("A", "D")])
    assert found["A"].left < found["B"].left < found["C"].left
    assert found["B"].left == found["D"].left
    assert found["A"].top == found["B"].top == found["C"].top < found["D"].top


def test_nodes_without_positions_come_below_the_others():
    found = placed(component("A", left="50px", top="70px"), component("B"), links=[link("A", "B")])
    assert (found["A"].left, found["A"].top) == (50, 70)
    assert found["B"].top > found["A"].top + found["A"].height


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_no_two_nodes_in_columns_overlap(path):
    workflow = smyth.read_file(path)
    bare = Workflow(id="x", nodes=workflow.nodes, links=workflow.links)
    found = list(boxes(bare).values())
    assert not [(one, other) for n, one in enumerate(found) for other in found[:n] if overlap(one, other)]


def test_positions_are_whole_pixels():
    workflow = smyth.read(text(agent(component("A", left="1.6px", top="2.4px"))))
    assert positions(workflow) == {"A": (2, 2)}
