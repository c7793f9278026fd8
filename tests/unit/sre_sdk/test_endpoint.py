"""Endpoints as models see them."""

import pytest

from sre_core.components.node import InputPort, Node, OutputPort
from sre_core.workflows.graph import Link, Workflow
from sre_sdk.endpoint import endpoint_spec, is_exposed, unused_arguments


def node(*ports: InputPort, title: str = "APIEndpoint", **data) -> Node:
    return Node(id="A", type="APIEndpoint", title=title, inputs=ports, data={"endpoint": "ask", **data})


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("String", {"type": "string"}),
        ("Text", {"type": "string"}),
        ("Number", {"type": "number"}),
        ("Integer", {"type": "integer"}),
        ("Boolean", {"type": "boolean"}),
        ("Array", {"type": "array", "items": {}}),
        ("Object", {"type": "object"}),
        ("Date", {"type": "string", "format": "date-time"}),
        ("Any", {}),
        ("any", {}),
        (" Integer ", {"type": "integer"}),
        ("Somebody's own", {}),
    ],
)
def test_the_type_of_a_port_becomes_json_schema(kind, wanted):
    assert endpoint_spec("ask", node(InputPort(name="q", type=kind))).parameters["properties"] == {"q": wanted}


@pytest.mark.parametrize("port", [InputPort(name="q", type="Image"), InputPort(name="q", type="Any", is_file=True)])
def test_a_file_is_a_text_that_leads_to_it(port):
    schema = endpoint_spec("ask", node(port)).parameters["properties"]["q"]
    assert schema["type"] == "string"
    assert "base64" in schema["description"]


def test_what_is_optional_or_has_a_default_is_not_required():
    ports = (
        InputPort(name="needed"),
        InputPort(name="free", optional=True),
        InputPort(name="filled", default="x"),
        InputPort(name="zero", default=0),
        InputPort(name="false", default=False),
        InputPort(name="empty", default=""),
    )
    assert endpoint_spec("ask", node(*ports)).parameters["required"] == ["needed", "empty"]
    assert "required" not in endpoint_spec("ask", node()).parameters


def test_the_description_of_a_port_is_handed_on():
    port = InputPort(name="q", type="String", description="What to look for.")
    assert endpoint_spec("ask", node(port)).parameters["properties"]["q"]["description"] == "What to look for."


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"description": "Says it.", "summary": "Short."}, "Says it."),
        ({"description": "  ", "summary": "Short."}, "Short."),
        ({"description": None, "title": "Look it up"}, "Look it up"),
        ({}, "ask"),
    ],
)
def test_a_description_is_made_of_what_there_is(given, wanted):
    assert endpoint_spec("ask", node(**given)).description == wanted


@pytest.mark.parametrize(("said", "wanted"), [(True, True), (None, True), ("true", True), (False, False)])
def test_only_an_author_who_says_so_hides_an_endpoint(said, wanted):
    assert is_exposed(node(ai_exposed=said)) is wanted
    assert is_exposed(node())
    assert not is_exposed(node(ai_exposed="false"))


def unused(*paths: str) -> list[str]:
    """Of q, extra and Q, what an endpoint with the input q leaves that has these outputs, all of them linked."""
    outputs = tuple(OutputPort(name=f"out{number}", expression=path) for number, path in enumerate(paths))
    entry = Node(id="A", type="APIEndpoint", inputs=(InputPort(name="q"),), outputs=outputs)
    links = tuple(Link(source="A", output=number, target="B", input=0) for number in range(len(paths)))
    other = Node(id="B", type="Look", inputs=(InputPort(name="x"),))
    workflow = Workflow(id="bob", nodes={"A": entry, "B": other}, links=links)
    return unused_arguments(workflow, entry, ["q", "extra", "Q"])


def test_an_argument_that_is_no_input_and_that_no_link_takes_is_unused():
    assert unused("body.q") == ["extra", "Q"]
    assert unused("body.extra.deep", "query.Q[0]") == []
    assert unused("headers", "headers.extra") == ["extra", "Q"]


def test_where_the_whole_request_goes_on_or_is_the_result_every_argument_is_used():
    assert unused("body.q", "body") == []
    assert unused("query") == []
    assert unused() == []
