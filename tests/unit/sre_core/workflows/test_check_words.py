"""Placeholders that name nothing are found wherever settings are templates."""

import pytest

from sre_core.plugins import Plugins
from sre_core.workflows.check import check_text
from tests.unit.sre_core.workflows.smyth_files import agent, component, endpoint, link, text


def said(type_="FSleep", **data):
    made = component("S", type_, data={"delay": 1, **data})
    content = text(agent(endpoint(), made, links=[link("E", "S")], variables={"city": "Bonn"}))
    return [f"{problem.severity} {problem}" for problem in check_text(content, Plugins.load(only=[]).component)]


@pytest.mark.parametrize(
    "template",
    [
        "no placeholder",
        "{{Input}} and {{city}}",
        "{{Input.days[0].name}}",
        "{{Input[0]}}",
        "{{KEY(my secret)}}",
        '{{VARVAULTINPUT:Api Key:["x"]}}',
        '{{VARINPUT:Api Key:{"a": 1}}}',
        "{ {Input} }",
    ],
)
def test_placeholders_that_name_something_are_no_problem(template):
    assert said(prompt=template) == []


def test_a_placeholder_that_names_nothing_is_a_warning_with_the_near_name():
    assert said(prompt="{{Inptu}} {{Inptu}} {{weather.today}}") == [
        (
            "warning components[1].data.prompt: {{Inptu}} names no input of this component and no variable of the agent"
            " (in 'The S', S); did you mean 'Input'?"
        ),
        (
            "warning components[1].data.prompt: {{weather.today}} names no input of this component and no variable of"
            " the agent (in 'The S', S)"
        ),
    ]


def test_spaces_in_a_placeholder_are_named():
    (problem,) = said(prompt="{{ Input }}")
    assert problem.endswith("; write {{Input}}, without spaces")


def test_placeholders_are_found_inside_of_objects_and_lists():
    (problem,) = said(headers={"x": ["{{no}}"]})
    assert problem.startswith("warning components[1].data.headers.x[0]: {{no}} names")


@pytest.mark.parametrize("key", ["code", "description", "_templateSettings", "desc"])
def test_settings_that_are_no_templates_are_left_alone(key):
    assert said(**{key: "{{no}}"}) == []


def test_notes_may_say_what_they_like():
    assert said("Note", prompt="{{no}}") == []


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("Hi {{Input, how are you?", "a placeholder that begins with {{Input is not closed"),
        ("{{Input} and {{city}}", "a placeholder that begins with {{Input is not closed"),
        ("{{ city", "a placeholder that begins with {{city is not closed"),
        ("{{KEY(secret)", "a placeholder that begins with {{KEY( is not closed"),
        ("a {{}} b", "there is no name of anything in {{}}"),
        ("{{KEY( )}}", "there is no name of a secret in {{KEY( )}}"),
        ("{{Input.}}", "the path in {{Input.}} ends with a dot"),
        ("{{Input[}}", "the path in {{Input[}} has a bracket without its other one"),
        ("{{city[0.x}}", "the path in {{city[0.x}} has a bracket without its other one"),
    ],
)
def test_a_placeholder_that_is_written_wrongly_is_a_warning(template, message):
    (problem,) = said(prompt=template)
    assert problem.startswith(f"warning components[1].data.prompt: {message} (in 'The S', S)")


def test_an_odd_path_is_told_as_it_is_read():
    (problem,) = said(prompt="{{Input[0}}")
    assert problem.endswith("; it is read as {{Input.0}}")


@pytest.mark.parametrize(
    "template",
    [
        "{{Inputs",
        "{{other",
        "{{Input: 1",
        "{{Input:\n  {}}",
        "if (a) {{ return }",
        "{{KEYS",
        "{{KEY to all",
        "{{KEY_POINTS",
        "{{{}}}",
        "}}",
        "{{{Input}}}",
        "{{\n}}",
    ],
)
def test_braces_that_may_be_meant_are_no_problem(template):
    assert said(prompt=template) == []


def test_code_may_hold_any_braces():
    assert said(code="const a = {{}}; // {{Input") == []
