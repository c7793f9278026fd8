"""SVG pictures are XML that holds only text, whatever a file says."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sre_core.workflows import smyth
from sre_core.workflows.graph import Workflow
from sre_core.workflows.svg import svg
from tests.unit.sre_core.workflows.smyth_files import FOLDER, REAL, agent, component, endpoint, link, text

SPACE = "{http://www.w3.org/2000/svg}"


def drawn(content) -> ET.Element:
    return ET.fromstring(svg(smyth.read(text(content))))


def texts(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SPACE}text")]


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_a_real_file_is_drawn_with_all_boxes_and_links(path):
    workflow = smyth.read_file(path)
    root = ET.fromstring(svg(workflow))
    assert root.tag == f"{SPACE}svg"
    assert len(root.findall(f"{SPACE}g")) == len(workflow.nodes)
    assert len(root.findall(f"{SPACE}path")) == len(workflow.links)


def test_a_box_has_its_title_its_type_and_its_ports():
    root = drawn(agent(component("A", title="Wait a bit")))
    assert texts(root) == ["Wait a bit", "FSleep", "Input", "Output"]


def test_a_link_is_a_curve_that_names_its_ends():
    root = drawn(agent(endpoint(), component("A"), links=[link("E", "A", 1), link("A", "E", 0, -1)]))
    one, other = root.findall(f"{SPACE}path")
    assert " C " in str(one.get("d"))
    assert one.findtext(f"{SPACE}title") == "The E.body.text → The A.Input"
    assert other.findtext(f"{SPACE}title") == "The A.Output → The E"


def test_a_curve_begins_and_ends_at_its_ports():
    places = {"top": "0px", "width": "200px"}
    root = drawn(
        agent(component("A", left="0px", **places), component("B", left="500px", **places), links=[link("A", "B")])
    )
    d = str(root.findall(f"{SPACE}path")[0].get("d")).split()
    assert (d[1], d[2], d[-2], d[-1]) == ("200", "59", "500", "59")


def test_a_title_that_is_markup_stays_text():
    bad = '<script>alert("1")</script>&amp;]]>'
    root = drawn(agent(component("A", bad, title=bad, description=bad), name=bad))
    assert {element.tag.removeprefix(SPACE) for element in root.iter()} == {
        *("svg", "title", "style", "rect", "g", "text", "circle"),
    }
    assert root.findtext(f"{SPACE}title") == bad


def test_a_long_title_is_cut():
    assert texts(drawn(agent(component("A", title="x" * 500))))[0].endswith("…")


def test_an_empty_workflow_is_an_empty_picture():
    root = ET.fromstring(svg(Workflow(id="x")))
    assert root.findall(f"{SPACE}g") == []


def test_entries_are_marked():
    kinds = [box.get("class") for box in drawn(agent(endpoint(), component("A"))).iter(f"{SPACE}rect")]
    assert kinds == ["paper", "box entry", "box"]


@given(st.text(), st.text(min_size=1))
@settings(deadline=None)
def test_every_text_gives_a_picture_that_can_be_read(title, name):
    made = component("A", name, title=title, inputs=[{"name": name}], description=title)
    assert drawn(agent(made, name=title)).tag == f"{SPACE}svg"


def test_the_picture_of_a_real_file_fits_its_frame():
    root = ET.fromstring(svg(smyth.read_file(FOLDER / "parent-agent.smyth")))
    left, top, width, height = map(float, str(root.get("viewBox")).split())
    for box in root.iter(f"{SPACE}rect"):
        x, y, w, h = (float(str(box.get(name))) for name in ("x", "y", "width", "height"))
        assert left <= x
        assert top <= y
        assert x + w <= left + width + 0.2
        assert y + h <= top + height + 0.2
