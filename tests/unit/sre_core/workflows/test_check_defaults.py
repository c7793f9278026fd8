"""Defaults of inputs that their type cannot take, or whose placeholders name nothing."""

import pytest

from sre_core.plugins import Plugins
from sre_core.workflows.check import check_text
from tests.unit.sre_core.workflows.smyth_files import agent, component, endpoint, link, text


def said(default, kind="Any", **more):
    """What is said of a default of an endpoint, and of the same one of a component that follows."""
    port = {"name": "n", "type": kind, "defaultVal": default, **more}
    asked = endpoint(inputs=[{"name": "text"}, port])
    answer = component("O", "APIOutput", inputs=[{"name": "Input"}, port])
    file = agent(asked, answer, links=[link("E", "O")], variables={"city": "Bonn"})
    return [f"{one.severity} {one}" for one in check_text(text(file), Plugins.load(only=[]).component)]


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ("Number", "7 days"),
        ("integer", 7.9),
        ("Boolean", "true"),
        ("Array", "a, b"),
        ("Object", "{a: 1}"),
        ("Date", "2024-01-20"),
        ("Number", ""),
        ("Number", None),
        ("Number", 0),
        ("String", {"a": 1}),
        ("Number", "{{city}}"),
        ("Object", {"a": "{{city}}"}),
        ("Image", "no image"),
    ],
)
def test_a_default_that_its_type_may_take_is_no_problem(kind, default):
    assert said(default, kind) == []


@pytest.mark.parametrize(
    ("kind", "default", "message"),
    [
        ("Number", "abc", "Invalid Number value at the input 'n': it takes a number"),
        ("Integer", [1], "Invalid Integer value at the input 'n': it takes a whole number"),
        ("Boolean", "maybe", "Invalid Boolean value at the input 'n': it takes true or false, 1 or 0"),
        ("Array", {"a": 1}, "Invalid Array value at the input 'n': it is no list"),
        ("Object", "[1]", "Invalid Object value at the input 'n': it is no object"),
        ("Date", "soon", "Invalid Date value at the input 'n': it takes a date, or milliseconds since 1970"),
    ],
)
def test_a_default_that_its_type_can_never_take_is_an_error(kind, default, message):
    for position, problem in enumerate(said(default, kind)):
        assert problem.startswith(f"error components[{position}].inputs[1].defaultVal: {message} (in ")
    assert len(said(default, kind)) == 2


def test_a_default_is_not_repeated_for_it_may_be_a_secret():
    assert "hush" not in str(said("hush", "Number"))


def test_a_placeholder_in_a_default_that_names_nothing_is_a_warning():
    assert said("{{ctiy}}") == [
        (
            "warning components[0].inputs[1].defaultVal: {{ctiy}} names no input of this component and no variable of"
            " the agent (in 'The E', E); did you mean 'city'?"
        ),
        (
            "warning components[1].inputs[1].defaultVal: {{ctiy}} names no variable of the agent, and a default cannot"
            " name an input (in 'The O', O); did you mean 'city'?"
        ),
    ]


def test_only_the_default_of_an_endpoint_may_name_another_input():
    (problem,) = said("{{text}} in {{city}}")
    assert problem.startswith("warning components[1].inputs[1].defaultVal: {{text}} names no variable")
    (problem,) = said({"x": ["{{Input}}"]})[1:]
    assert problem.startswith("warning components[1].inputs[1].defaultVal.x[0]: {{Input}} names no variable")


def test_notes_may_have_any_default():
    note = component("N", "Note", inputs=[{"name": "n", "type": "Number", "defaultVal": "{{no}}"}])
    assert check_text(text(agent(endpoint(), note)), Plugins.load(only=[]).component) == []
