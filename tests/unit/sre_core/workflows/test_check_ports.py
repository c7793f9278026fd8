"""Ports that the type of their component does not have, and what no request brings, are found before a run."""

import pytest

from sre_core.plugins import Plugins
from sre_core.workflows.check import check_text
from tests.unit.sre_core.workflows.smyth_files import agent, component, endpoint, link, text


def said(*components, links=()):
    find = Plugins.load(only=[]).component
    return [f"{problem.severity} {problem}" for problem in check_text(text(agent(*components, links=links)), find)]


def hashed(inputs=("Data",), outputs=({"name": "Hash", "default": True},)):
    """A hash of what an endpoint got, which is the answer."""
    made = component(
        "H",
        "FHash",
        inputs=[{"name": name} if isinstance(name, str) else name for name in inputs],
        outputs=list(outputs),
        data={"algorithm": "md5"},
    )
    answer = component("O", "APIOutput")
    return said(endpoint(), made, answer, links=[link("E", "H"), link("H", "O", len(made["outputs"]) - 1)])


def asked(*outputs, method="POST", inputs=("text", "a.b"), first="body"):
    """An endpoint with more outputs."""
    ports = [{"name": first, "default": True}, *({"name": one} if isinstance(one, str) else one for one in outputs)]
    made = endpoint(
        inputs=[{"name": name} for name in inputs], outputs=ports, data={"endpoint": "ask", "method": method}
    )
    return said(made)


def test_ports_that_the_type_has_are_no_problem():
    assert hashed() == []


def test_a_link_to_a_misspelt_input_is_an_error_with_the_near_name():
    assert hashed(inputs=["Dta"]) == [
        "error components[1].inputs[0].name: the type 'FHash' has no input 'Dta' (in 'The H', H); did you mean 'Data'?"
    ]


def test_a_link_to_an_input_that_the_type_lacks_is_a_warning_where_none_is_missing():
    assert hashed(inputs=["then", "Data"])[0] == (
        "warning components[1].inputs[0].name: the type 'FHash' has no input 'then' (in 'The H', H); it has: Data"
    )


def test_an_input_that_the_type_lacks_and_nothing_is_linked_to_is_no_problem():
    assert hashed(inputs=["Data", {"name": "Old", "optional": False}]) == []


def test_an_input_that_a_setting_names_is_no_problem_where_the_type_lacks_it():
    data = {"specUrl": "https://a.example/", "descForModel": "You help {{who}}."}
    made = component("S", "OpenAPI", inputs=[{"name": "Prompt"}, {"name": "who"}], data=data)
    links = [link("E", "S"), link("E", "S", 1, 1)]
    assert said(endpoint(), made, links=links) == []
    data["descForModel"] = "You help."
    assert said(endpoint(), made, links=links) == [
        (
            "warning components[1].inputs[1].name: the type 'OpenAPI' has no input 'who' (in 'The S', S);"
            " it has: Prompt, Query"
        )
    ]


def test_an_input_that_the_component_needs_and_does_not_have_is_a_warning():
    made = component("H", "FHash", inputs=[], data={"algorithm": "md5"})
    assert said(made)[1:] == [
        "warning components[0].inputs: there is no input 'Data', which the component needs (in 'The H', H)"
    ]


@pytest.mark.parametrize("default", [True, False])
def test_a_link_from_an_output_that_the_type_does_not_give_is_an_error(default):
    (problem,) = hashed(outputs=[{"name": "Hsah", "default": default}])
    assert problem == (
        "error components[1].outputs[0].name: the type 'FHash' has no output 'Hsah' (in 'The H', H);"
        " did you mean 'Hash'?"
    )


@pytest.mark.parametrize("port", [{"name": "Hsah"}, {"name": "Other.x"}, {"name": "x", "expression": "Other[0].x"}])
def test_an_own_output_that_leads_into_none_of_the_type_is_a_warning(port):
    (problem,) = hashed(outputs=[{"name": "Hash", "default": True}, port])
    key = "expression" if "expression" in port else "name"
    assert problem.startswith(f"warning components[1].outputs[1].{key}: the type 'FHash' has no output ")


@pytest.mark.parametrize(
    "port",
    [
        {"name": "Hash.length"},
        {"name": "x", "expression": "Hash[0].x"},
        {"name": "_error"},
        {"name": "_debug.line"},
        # It may be a key of what the first output gives.
        {"name": "city"},
    ],
)
def test_an_own_output_that_leads_into_what_the_type_gives_is_no_problem(port):
    assert hashed(outputs=[{"name": "Hash", "default": True}, port]) == []


def test_an_output_that_nothing_takes_is_no_problem():
    assert hashed(outputs=[{"name": "Nothing"}, {"name": "Hash", "default": True}]) == []


def test_components_whose_ports_an_author_may_add_take_any_name():
    made = component("A", "Async", inputs=[{"name": "any"}], outputs=[{"name": "any"}])
    answer = component("O", "APIOutput", inputs=[{"name": "what.ever"}])
    assert said(endpoint(), made, answer, links=[link("E", "A"), link("A", "O")]) == []


def test_a_path_to_an_input_that_an_endpoint_does_not_declare_is_a_warning():
    assert asked("body.txet") == [
        "warning components[0].outputs[1].name: it has no input 'txet' (in 'The E', E); did you mean 'text'?"
    ]
    assert asked({"name": "first", "expression": "body.q[0]"}) == [
        "warning components[0].outputs[1].expression: it has no input 'q' (in 'The E', E); it has: text, a.b"
    ]
    assert asked("txet") == [
        "warning components[0].outputs[1].name: it has no input 'txet' (in 'The E', E); did you mean 'text'?"
    ]
    assert asked({"name": "text", "expression": "txet"}) == [
        (
            "warning components[0].outputs[1].expression: it has no output 'txet' (in 'The E', E);"
            " it has: headers, body, query, params"
        )
    ]
    assert asked("boddy.text") == [
        "warning components[0].outputs[1].name: it has no output 'boddy' (in 'The E', E); did you mean 'body'?"
    ]


@pytest.mark.parametrize(
    "output", ["body.text", "body.text.x[0]", "body.a.b", "text", "query.any", "headers.any", "params.id", "_error"]
)
def test_a_path_to_what_a_request_may_bring_is_no_problem(output):
    assert asked(output) == []


def test_the_method_of_an_endpoint_says_where_its_inputs_are():
    assert asked("query.text", "body.any", method="get", first="query") == []
    assert asked("query.txet", method="GET", first="query") == [
        "warning components[0].outputs[1].name: it has no input 'txet' (in 'The E', E); did you mean 'text'?"
    ]
    (problem,) = asked("body.text", method="GET", first="query")
    assert "it has no input 'text' in a body: it is asked with GET (in 'The E', E); take it from query.text" in problem


def test_an_endpoint_that_declares_nothing_takes_anything():
    assert asked("body.any", "query.any", inputs=()) == []


def test_a_name_alone_is_looked_for_in_the_headers_where_they_come_first():
    assert asked("authorization", first="headers") == []


@pytest.mark.parametrize("path", ["body[text", "body.text]", "body.text[[0]]", "body.text."])
def test_a_path_that_is_written_oddly_is_a_warning(path):
    (problem,) = asked({"name": "x", "expression": path})
    assert problem.startswith("warning components[0].outputs[1].expression: the path of the output 'x' ")
