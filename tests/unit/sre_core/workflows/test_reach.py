"""What follows what in a workflow."""

import pytest

from sre_core.errors import WorkflowError
from sre_core.workflows import smyth
from sre_core.workflows.graph import Link
from sre_core.workflows.reach import circles, columns, only, reachable
from tests.unit.sre_core.workflows.smyth_files import FOLDER, agent, component, endpoint, link, text


def workflow(names, *ends):
    return smyth.read(text(agent(*map(component, names), links=[link(*pair) for pair in ends])))


def test_what_is_reached_includes_where_it_starts():
    made = workflow("ABCD", "AB", "BC", "CA")
    assert reachable(made, ["B"]) == {"A", "B", "C"}
    assert reachable(made, ["D"]) == {"D"}
    assert reachable(made, []) == frozenset()


def test_columns_follow_the_longest_way():
    assert columns(workflow("ABCD", "AD", "AB", "BC", "CD")).of == {"A": 0, "B": 1, "C": 2, "D": 3}


def test_a_link_that_closes_a_circle_leads_back():
    found = columns(workflow("CBA", "AB", "BC", "CB"))
    assert found.of == {"C": 2, "B": 1, "A": 0}
    assert found.back == {Link(source="C", output=0, target="B", input=0)}


def test_a_link_to_itself_leads_back():
    found = columns(workflow("A", "AA"))
    assert found.of == {"A": 0}
    assert len(found.back) == 1


def test_circles_are_found_each_once():
    made = workflow("ABCDEF", "AB", "BA", "BC", "CD", "DC", "DE", "FF")
    assert circles(made) == [("A", "B"), ("C", "D"), ("F",)]
    assert circles(workflow("ABC", "AB", "BC", "AC")) == []


def test_circles_that_share_a_node_are_one():
    assert circles(workflow("ABC", "AB", "BA", "BC", "CB")) == [("A", "B", "C")]


def test_a_part_has_what_its_endpoint_reaches():
    made = smyth.read_file(FOLDER / "functions-components.smyth")
    part = only(made, "hash")
    assert [node.type for node in part.nodes.values()] == ["FHash", "APIEndpoint"]
    assert len(part.links) == 1


def test_a_part_may_begin_at_a_trigger():
    trigger = component("T", data={"triggerEndpoint": "mail"})
    made = smyth.read(text(agent(endpoint(), trigger, component("A"), links=[link("T", "A")])))
    assert list(only(made, "mail").nodes) == ["T", "A"]


def test_an_unknown_endpoint_is_answered_with_the_near_one():
    made = smyth.read(text(agent(endpoint(name="ask"))))
    with pytest.raises(WorkflowError) as caught:
        only(made, "aks")
    assert caught.value.hint == "did you mean 'ask'?"
    with pytest.raises(WorkflowError) as caught:
        only(made, "zzz")
    assert caught.value.hint == "there are: ask"
