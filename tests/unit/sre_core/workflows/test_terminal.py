"""Workflows drawn with the characters of a terminal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sre_core.workflows import smyth
from sre_core.workflows.cells import width
from sre_core.workflows.graph import Workflow
from sre_core.workflows.terminal import draw
from tests.unit.sre_core.workflows.smyth_files import FOLDER, REAL, agent, component, endpoint, link, text


def drawn(*components, links=(), room=100):
    return draw(smyth.read(text(agent(*components, links=links))), width=room).splitlines()


def test_a_real_file_is_drawn_with_boxes_links_and_ports():
    assert draw(smyth.read_file(FOLDER / "sre-echo-LLMPrompt.smyth")).splitlines() == [
        "┌──────────────┐    ┌──────────────────────┐    ┌───────────┐",
        "│ APIEndpoint  │    │ Echoing Spoken Words │    │ APIOutput │",
        "│ APIEndpoint  │    │ PromptGenerator      │    │ APIOutput │",
        "│ body.message ├─┐  │                Reply ├─┐  │           │",
        "│              │ └─▶┤ Input                │ └─▶┤ result    │",
        "└──────────────┘    └──────────────────────┘    └───────────┘",
    ]


def test_a_link_passes_a_column_by_in_a_lane_of_its_own():
    links = [link("A", "B"), link("B", "C"), link("A", "C")]
    assert drawn(*map(component, "ABC"), links=links) == [
        "┌────────┐    ┌────────┐     ┌────────┐",
        "│ The A  │    │ The B  │     │ The C  │",
        "│ FSleep │    │ FSleep │     │ FSleep │",
        "│ Output ├─┐  │ Output ├─┐   │        │",
        "│        │ ├─▶┤ Input  │ └┬─▶┤ Input  │",
        "└────────┘ │  └────────┘  │  └────────┘",
        "           └──────┐       │",
        "                  └───────┘",
    ]


def test_two_links_never_lie_on_one_another():
    parts = [component(name, outputs=[{"name": "x"}, {"name": "y"}]) for name in "AB"]
    parts += [component(name, inputs=[{"name": "i"}, {"name": "j"}]) for name in "CD"]
    links = [link("A", "D", 0, 0), link("A", "C", 1, 1), link("B", "C", 0, 0), link("B", "D", 1, 1)]
    assert drawn(*parts, links=links) == [
        "┌────────┐      ┌────────┐",
        "│ The A  │      │ The C  │",
        "│ FSleep │      │ FSleep │",
        "│      x ├─┐    │        │",
        "│        │ │┌──▶┤ i      │",
        "│      y ├─┼┼┐  │        │",
        "│        │ ││└─▶┤ j      │",
        "└────────┘ ││   └────────┘",
        "┌────────┐ ││   ┌────────┐",
        "│ The B  │ ││   │ The D  │",
        "│ FSleep │ ││   │ FSleep │",
        "│      x ├─┼┘   │        │",
        "│        │ └───▶┤ i      │",
        "│      y ├─┐    │        │",
        "│        │ └───▶┤ j      │",
        "└────────┘      └────────┘",
    ]


def test_what_leads_back_is_told_below():
    lines = drawn(component("A"), component("B"), links=[link("A", "B"), link("B", "A")])
    assert lines[-3:] == ["", "And back:", "  The B.Output → The A.Input"]


def test_a_link_to_an_endpoint_as_a_whole_ends_at_its_type():
    lines = drawn(component("T", title="T"), endpoint(), links=[link("T", "E", 0, -1)])
    assert "▶┤ APIEndpoint" in lines[2]


def test_boxes_become_narrower_before_they_give_way_to_a_list():
    parts = [component(name, title="A very long title of a component") for name in "ABC"]
    links = [link("A", "B"), link("B", "C")]
    assert drawn(*parts, links=links, room=60)[1].startswith("│ A very long … │")
    assert max(map(width, drawn(*parts, links=links, room=44))) <= 44
    assert drawn(*parts, links=links, room=43)[0] == "A very long title of a component (FSleep)"


def test_hundreds_of_components_are_listed():
    lines = drawn(*[component(f"N{n}") for n in range(500)])
    assert len(lines) == 500
    assert lines[0] == "The N0 (FSleep)"


def test_thousands_of_links_are_listed():
    ports = [{"name": f"p{n}"} for n in range(50)]
    links = [link("A", "B", output, input_) for output in range(50) for input_ in range(50)]
    lines = drawn(component("A", inputs=ports, outputs=ports), component("B", inputs=ports, outputs=ports), links=links)
    assert lines[0] == "The A (FSleep)"


def test_nothing_is_drawn_of_nothing():
    assert draw(Workflow(id="x")) == "(no components)"


def test_titles_cannot_command_the_terminal():
    assert "\x1b" not in "".join(drawn(component("A", title="\x1b[31mred", inputs=[{"name": "\x1b[2J"}])))


@pytest.mark.parametrize("room", [10, 40, 80, 200])
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_a_real_file_fits_every_terminal(path, room):
    assert max(map(width, draw(smyth.read_file(path), width=room).splitlines())) <= room


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1), st.integers(0, 6), st.integers(-1, 1)), max_size=20),
    st.integers(1, 150),
)
@settings(deadline=None)
def test_any_links_can_be_drawn(ends, room):
    ports = [{"name": "a"}, {"name": "你"}]
    parts = [component(str(n), inputs=ports, outputs=ports) for n in range(7)]
    links = [link(str(source), str(target), output, input_) for source, output, target, input_ in ends]
    lines = drawn(*parts, links=links, room=room)
    assert max(map(width, lines)) <= room
