"""The operations of an OpenAPI document."""

import time

import pytest

from sre_core.components.agents.open_api_operations import read_operations
from sre_core.errors import ComponentError

URL = "https://api.example/v1/openapi.json"


def document(paths, **more):
    return {"openapi": "3.1.0", "info": {"title": "Pets"}, "paths": paths, **more}


def one(operation, method="get", path="/pets", **more):
    (found,) = read_operations(document({path: {method: operation}}, **more), URL)
    return found


def test_an_operation_has_the_name_and_description_that_the_document_gives():
    found = one({"operationId": "listPets", "description": "All pets.", "summary": "Pets"})
    assert (found.name, found.description, found.method, found.path) == ("listPets", "All pets.", "GET", "/pets")
    assert one({"summary": "Pets"}).description == "Pets"


def test_names_are_legal_and_each_is_given_once():
    long = "x" * 70
    paths = {
        "/pets/{id}": {"get": {}, "delete": {"operationId": "get_pets_id"}},
        "/a b": {"get": {"operationId": "über alles!"}},
        "/c": {"get": {"operationId": long}, "post": {"operationId": long}},
    }
    names = [operation.name for operation in read_operations(document(paths), URL)]
    assert names == ["get_pets_id", "get_pets_id_2", "ber_alles", "x" * 64, "x" * 62 + "_2"]


@pytest.mark.parametrize(
    ("servers", "base"),
    [
        (None, "https://api.example"),
        ([], "https://api.example"),
        ([{"url": "/v2/"}], "https://api.example/v2"),
        ([{"url": "v2"}], "https://api.example/v1/v2"),
        ([{"url": "https://other.example/x/"}], "https://other.example/x"),
        (
            [{"url": "https://{region}.example", "variables": {"region": {"default": "eu"}}}],
            "https://eu.example",
        ),
        (
            [{"url": "https://{a}.example", "variables": {"a": {"default": "{b}{b}"}, "b": {"default": "{a}{a}"}}}],
            "https://{b}{b}.example",
        ),
    ],
    ids=["none", "empty", "absolute path", "relative", "elsewhere", "with a variable", "with one in another"],
)
def test_the_base_is_what_the_servers_say(servers, base):
    assert one({}, servers=servers).base == base


def test_servers_of_an_operation_come_before_those_of_the_document():
    found = one({"servers": [{"url": "https://own.example"}]}, servers=[{"url": "https://all.example"}])
    assert found.base == "https://own.example"


def test_parameters_and_body_become_one_schema():
    operation = {
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}, "description": "Which."},
            {"name": "filter[kind]", "in": "query", "schema": {"type": "string"}},
            {"name": "X-Trace", "in": "header", "content": {"text/plain": {"schema": {"type": "string"}}}},
            {"name": "Authorization", "in": "header", "schema": {"type": "string"}},
            {"name": "session", "in": "cookie", "schema": {"type": "string"}},
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
                        "required": ["name"],
                    }
                }
            },
        },
    }
    assert one(operation, "put", "/pets/{id}").parameters == {
        "type": "object",
        "properties": {
            "id": {"type": "integer", "description": "Which."},
            "filter_kind": {"type": "string"},
            "X-Trace": {"type": "string"},
            "id_field": {"type": "string"},
            "name": {"type": "string"},
        },
        "required": ["id", "name"],
        "additionalProperties": False,
    }


def test_a_parameter_of_the_operation_takes_the_place_of_the_path_s():
    paths = {
        "/pets": {
            "parameters": [{"$ref": "#/components/parameters/limit"}],
            "get": {"parameters": [{"name": "limit", "in": "query", "schema": {"type": "string"}}]},
            "post": {},
        }
    }
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer"}}
    get, post = read_operations(document(paths, components={"parameters": {"limit": limit}}), URL)
    assert get.parameters["properties"] == {"limit": {"type": "string"}}
    assert post.parameters["properties"] == {"limit": {"type": "integer"}}


@pytest.mark.parametrize(
    "schema", [{"type": "array", "items": {"type": "string"}}, {"oneOf": [{"type": "object"}]}, {}]
)
def test_a_body_that_is_no_plain_object_is_one_argument(schema):
    body = {"required": True, "content": {"application/vnd.api+json": {"schema": schema}}}
    found = one({"requestBody": body}, "post")
    assert found.body_type == "application/vnd.api+json"
    assert found.parameters["required"] == ["body"]
    assert found.parameters["properties"]["body"] == {**schema, "description": "The body of the request."}


def test_an_operation_whose_body_cannot_be_sent_is_left_out():
    def taking(required):
        return {"requestBody": {"required": required, "content": {"multipart/form-data": {"schema": {}}}}}

    paths = {"/a": {"post": taking(True)}, "/b": {"post": taking(False)}}
    (left,) = read_operations(document(paths), URL)
    assert (left.path, left.arguments) == ("/b", ())


@pytest.mark.parametrize(
    ("found", "said"), [({"swagger": "2.0"}, "Swagger"), ({"hello": 1}, "something else"), ({}, "something else")]
)
def test_another_kind_of_document_is_refused(found, said):
    with pytest.raises(ComponentError, match=said):
        read_operations(found, URL)


@pytest.mark.parametrize("paths", [None, [], {"/a": None}, {"/a": {"get": None}}, {"a": {"get": {}}}, {1: {}}])
def test_paths_that_are_none_give_no_operation(paths):
    assert read_operations(document(paths), URL) == []


def test_a_server_with_an_illegal_url_is_named():
    with pytest.raises(ComponentError, match="illegal URL"):
        one({}, servers=[{"url": "http://[x"}])


def test_a_document_may_have_thousands_of_operations_and_no_more():
    def document(count):
        return {
            "openapi": "3.0.0",
            "paths": {f"/{number}": {"get": {"operationId": "same"}} for number in range(count)},
        }

    names = [operation.name for operation in read_operations(document(2000), "https://api.example/spec.json")]
    assert len(set(names)) == 2000
    assert names[:3] == ["same", "same_2", "same_3"]
    with pytest.raises(ComponentError, match="more than 2000"):
        read_operations(document(2001), "https://api.example/spec.json")


def test_paths_that_are_one_and_the_same_cannot_multiply_what_is_read():
    same = {"parameters": [{"name": f"p{number}", "in": "query"} for number in range(1000)], "get": {}}
    with pytest.raises(ComponentError, match="more than 100,000 parameters"):
        read_operations(document({f"/{number}": same for number in range(200)}), URL)


@pytest.mark.parametrize(
    "operation",
    [
        {"description": {str(number): number for number in range(100_000)}},
        {"operationId": "\xe9" * 2_000_000},
        {"parameters": [{"name": "\xe9" * 2_000_000, "in": "header"}]},
        {"requestBody": {"content": {f"a/{number}": {} for number in range(100_000)}}},
        {
            "parameters": [
                {
                    "name": "a",
                    "in": "query",
                    "schema": {"oneOf": [{f"x-{number}": 1 for number in range(50_000)}] * 4900},
                }
            ]
        },
    ],
    ids=["description", "id", "name", "types", "schema"],
)
def test_a_large_part_of_thousands_of_operations_is_not_read_to_its_end_each_time(operation):
    began = time.process_time()
    assert len(read_operations(document({f"/{number}": {"get": operation} for number in range(2000)}), URL)) == 2000
    assert time.process_time() - began < 20


def test_a_reference_of_thousands_of_steps_is_not_followed():
    with pytest.raises(ComponentError, match="refers to another one"):
        one({"parameters": [{"$ref": "#" + "/a" * 1000}]})


def test_a_demand_for_what_is_no_name_is_passed_over():
    schema = {"type": "object", "properties": {"a": {}}, "required": [["a"], {}, "a", "b"]}
    found = one({"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}, "post")
    assert found.parameters["required"] == ["a"]


def test_a_list_that_holds_itself_a_billion_times_is_written_out_nowhere():
    laughs = ["ha"]
    for _ in range(40):
        laughs = [laughs, laughs]
    with pytest.raises(ComponentError, match="no document of OpenAPI 3"):
        read_operations({"openapi": laughs}, URL)
    (argument,) = one({"operationId": laughs, "parameters": [{"name": "a", "in": "query", "style": laughs}]}).arguments
    assert argument.style == "form"
    assert one({"description": laughs}, servers=[{"url": laughs}]).base == "https://api.example"
