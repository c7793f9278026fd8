"""The request of one call, with arguments that a model made up."""

import json

import pytest

from sre_core.components.agents.open_api_operations import Argument, Operation
from sre_core.components.agents.open_api_request import build_request
from sre_core.errors import SkillError

BASE = "https://api.example"


def operation(*arguments, path="/pets", method="GET", body_type=""):
    return Operation(
        name="op", description="", method=method, base=BASE, path=path, arguments=arguments, body_type=body_type
    )


def argument(place, name="x", **more):
    return Argument(name=name, key=name, place=place, schema={}, **more)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a b", "/pets/a%20b/toys"),
        ("../admin", "/pets/..%2Fadmin/toys"),
        ("x?y=1#z", "/pets/x%3Fy%3D1%23z/toys"),
        ("@evil.example", "/pets/%40evil.example/toys"),
        ("%2e%2e", "/pets/%252e%252e/toys"),
        (7, "/pets/7/toys"),
        (True, "/pets/true/toys"),
        (["a", "b,c"], "/pets/a%2Cb%2Cc/toys"),
        ("ü", "/pets/%C3%BC/toys"),
    ],
)
def test_an_argument_stays_within_its_part_of_the_path(value, path):
    request = build_request(operation(argument("path"), path="/pets/{x}/toys"), {"x": value})
    assert request.url == BASE + path


@pytest.mark.parametrize("value", [".", ".."])
def test_an_argument_that_would_take_parts_out_of_the_path_is_refused(value):
    with pytest.raises(SkillError, match="part of the path"):
        build_request(operation(argument("path"), path="/pets/{x}"), {"x": value})


def test_dots_within_a_part_are_no_harm():
    assert build_request(operation(argument("path"), path="/f/{x}.json"), {"x": ".."}).url == f"{BASE}/f/...json"


@pytest.mark.parametrize(
    ("more", "value", "query"),
    [
        ({}, "a&b=c d", "x=a%26b%3Dc%20d"),
        ({}, ["a", "b"], "x=a&x=b"),
        ({"explode": False}, ["a", "b"], "x=a%2Cb"),
        ({"explode": False, "style": "pipeDelimited"}, ["a", "b"], "x=a%7Cb"),
        ({"style": "deepObject"}, {"kind": "cat"}, "x%5Bkind%5D=cat"),
        ({}, {"kind": "cat"}, "kind=cat"),
        ({"explode": False}, {"kind": "cat"}, "x=kind%2Ccat"),
        ({}, False, "x=false"),
        ({}, 0, "x=0"),
        ({}, "", "x="),
    ],
)
def test_queries_are_written_in_the_style_of_the_parameter(more, value, query):
    assert build_request(operation(argument("query", **more)), {"x": value}).url == f"{BASE}/pets?{query}"


def test_what_is_missing_or_null_is_not_sent():
    request = build_request(operation(argument("query"), argument("query", "y")), {"x": None})
    assert request.url == f"{BASE}/pets"
    assert request.data is None


def test_fields_make_a_json_object():
    op = operation(argument("field"), argument("field", "y"), method="POST", body_type="application/json")
    request = build_request(op, {"x": {"a": [1]}, "y": 'ü "q"'})
    assert json.loads(request.data) == {"x": {"a": [1]}, "y": 'ü "q"'}
    assert request.headers["Content-Type"] == "application/json"
    assert build_request(op, {}).data == b"{}"


def test_a_body_is_sent_as_it_is():
    op = operation(argument("body", "body"), method="POST", body_type="application/json")
    assert build_request(op, {"body": [1, None]}).data == b"[1, null]"
    assert build_request(op, {}).data is None


def test_fields_make_a_form():
    op = operation(
        argument("field"), argument("field", "y"), method="POST", body_type="application/x-www-form-urlencoded"
    )
    request = build_request(op, {"x": "a&b", "y": ["1", "2"]})
    assert request.data == b"x=a%26b&y=1&y=2"


def test_headers_are_sent_under_their_own_names():
    request = build_request(operation(argument("header", "X-Tags")), {"X-Tags": ["a", "b"]})
    assert request.headers["X-Tags"] == "a,b"
