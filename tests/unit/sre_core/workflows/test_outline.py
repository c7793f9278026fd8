"""Workflows as indented lists."""

from sre_core.workflows import smyth
from sre_core.workflows.cells import width
from sre_core.workflows.outline import outline
from tests.unit.sre_core.workflows.smyth_files import agent, component, endpoint, link, text


def told(*components, links=(), **more):
    return outline(smyth.read(text(agent(*components, links=links))), **more).splitlines()


def test_what_follows_stands_below_and_is_told_once():
    links = [link("E", "A", 1), link("E", "B"), link("A", "B"), link("B", "A")]
    assert told(endpoint(), component("A"), component("B"), links=links) == [
        "The E (APIEndpoint)",
        "  body.text as Input → The A (FSleep)",
        "    Output as Input → The B (FSleep)",
        "      Output as Input → The A, as above",
        "  body as Input → The B, as above",
    ]


def test_a_circle_that_nothing_leads_into_is_told_from_where_the_file_begins():
    assert told(component("A"), component("B"), links=[link("A", "B"), link("B", "A")]) == [
        "The A (FSleep)",
        "  Output as Input → The B (FSleep)",
        "    Output as Input → The A, as above",
    ]


def test_a_link_to_an_endpoint_as_a_whole_names_no_input():
    assert told(component("T", title="T"), endpoint(), links=[link("T", "E", 0, -1)], arrow="->") == [
        "T (FSleep)",
        "  Output -> The E (APIEndpoint)",
    ]


def test_a_long_chain_stays_on_the_screen():
    parts = [component(f"N{n}", title="你" * n) for n in range(1, 500)]
    lines = told(*parts, links=[link(f"N{n}", f"N{n + 1}") for n in range(1, 499)], width=60)
    assert len(lines) == 499
    assert max(map(width, lines)) <= 60
