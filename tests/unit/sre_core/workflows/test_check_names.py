"""Endpoints, triggers and ports with names that cannot be, or that another one has."""

import pytest

from sre_core.plugins import Plugins
from sre_core.workflows.check import check_text
from tests.unit.sre_core.workflows.smyth_files import agent, component, endpoint, link, text


def said(*components, links=()):
    find = Plugins.load(only=[]).component
    return [f"{problem.severity} {problem}" for problem in check_text(text(agent(*components, links=links)), find)]


@pytest.mark.parametrize("name", ["ask", "ask_me", "ask-me", "A1", "_private", "a" * 50, "a__b"])
def test_a_legal_name_of_an_endpoint_is_no_problem(name):
    assert said(endpoint(name=name)) == []


@pytest.mark.parametrize("name", ["ask me", "-ask", "ask-", "a--b", "a/b", "größe", "a\n", "x" * 51, 7])
def test_an_illegal_name_of_an_endpoint_is_one_error(name):
    (problem,) = said(endpoint(name=name))
    assert problem.startswith("error components[0].data.endpoint: ")


@pytest.mark.parametrize("name", ["", None])
def test_an_endpoint_without_a_name_is_one_error(name):
    (problem,) = said(endpoint(name=name))
    assert problem.startswith("error components[0].data.endpoint: ")


def test_two_endpoints_of_one_name_are_an_error():
    assert said(endpoint("E", "ask"), endpoint("F", "ask")) == [
        (
            "error components[0].data.endpoint: The F (APIEndpoint F) has the name 'ask' too, and is the one that is"
            " called (in 'The E', E); this one can never be called"
        )
    ]


def test_two_endpoints_of_one_name_for_different_methods_are_a_warning():
    other = endpoint("F", inputs=[], data={"endpoint": "ask", "method": "get"})
    assert said(endpoint("E", "ask"), other) == [
        (
            "warning components[1].data.endpoint: The E (APIEndpoint E) has the name 'ask' already, for POST"
            " (in 'The F', F); this one is called as 'ask-get'"
        )
    ]


def test_triggers_are_named_as_endpoints_are():
    triggers = [component(id_, "Note", data={"triggerEndpoint": name}) for id_, name in (("A", "x y"), ("B", "mail"))]
    again = component("C", "Note", data={"triggerEndpoint": "mail"})
    assert said(endpoint(name="mail"), *triggers, again) == [
        (
            "error components[1].data.triggerEndpoint: 'x y' is no legal name of an endpoint (in 'The A', A);"
            " use up to 50 ASCII letters, digits, '_' and single '-', and no '-' at an end"
        ),
        (
            "error components[2].data.triggerEndpoint: The C (Note C) has the name 'mail' too, and is the one that is"
            " called (in 'The B', B); this one can never be called"
        ),
    ]


def test_ports_of_one_name_are_a_warning():
    made = component("A", inputs=[{"name": "x"}, {"name": "x"}], outputs=[{"name": "y"}, {"name": "z"}, {"name": "y"}])
    assert said(endpoint(), made, links=[link("E", "A")])[:2] == [
        "warning components[1].inputs[1].name: an earlier port is called 'x' too (in 'The A', A)",
        "warning components[1].outputs[2].name: an earlier port is called 'y' too (in 'The A', A)",
    ]


@pytest.mark.parametrize("kind", ["Any", "any", "STRING", "Video", ""])
def test_a_type_of_an_input_counts_in_any_case(kind):
    made = component("A", inputs=[{"name": "Input", "type": kind}])
    assert said(endpoint(), made, links=[link("E", "A")]) == []


def test_an_unknown_type_of_an_input_is_a_warning():
    made = component("A", inputs=[{"name": "Input", "type": "Nubmer"}, {"name": "b", "type": "Qx"}])
    found = said(endpoint(), made, links=[link("E", "A")])
    assert found[0] == (
        "warning components[1].inputs[0].type: no input has the type 'Nubmer', which is as 'Any' (in 'The A', A);"
        " did you mean 'Number'?"
    )
    assert "there are: Any, String" in found[1]
