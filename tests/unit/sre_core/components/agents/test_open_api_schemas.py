"""Schemas of an OpenAPI document, written out for a model."""

import json

import pytest

from sre_core.components.agents.open_api_schemas import Schemas
from sre_core.errors import ComponentError

DOCUMENT = {
    "components": {
        "schemas": {
            "Name": {"type": "string"},
            "a/b~c d": {"type": "integer"},
            "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}},
            "Loop": {"$ref": "#/components/schemas/Loop"},
        }
    }
}


def inline(schema, document=DOCUMENT):
    return Schemas(document).inline(schema)


def test_references_are_written_out():
    schema = {"type": "array", "items": {"$ref": "#/components/schemas/Name"}}
    assert inline(schema) == {"type": "array", "items": {"type": "string"}}


def test_what_stands_beside_a_reference_is_kept():
    schema = {"$ref": "#/components/schemas/Name", "description": "whose"}
    assert inline(schema) == {"type": "string", "description": "whose"}


def test_the_parts_of_a_reference_may_be_escaped():
    assert inline({"$ref": "#/components/schemas/a~1b~0c%20d"}) == {"type": "integer"}


def test_a_schema_that_contains_itself_is_cut_where_it_begins_again():
    assert inline({"$ref": "#/components/schemas/Node"}) == {"type": "object", "properties": {"next": {}}}


def test_a_reference_to_itself_alone_ends():
    assert inline({"$ref": "#/components/schemas/Loop"}) == {}
    with pytest.raises(ComponentError, match="leads to itself"):
        Schemas(DOCUMENT).resolve({"$ref": "#/components/schemas/Loop"})


@pytest.mark.parametrize("reference", ["other.yaml#/Name", "https://evil.example/x", "#/components/schemas/Missing"])
def test_a_reference_that_leads_out_or_nowhere_is_named(reference):
    with pytest.raises(ComponentError, match=reference):
        inline({"$ref": reference})


def test_schemas_that_double_at_each_step_stay_small():
    schemas = {
        f"S{n}": {
            "type": "object",
            "properties": {side: {"$ref": f"#/components/schemas/S{n + 1}"} for side in ("left", "right")},
        }
        for n in range(30)
    }
    document = {"components": {"schemas": {**schemas, "S30": {"type": "string"}}}}
    assert len(json.dumps(inline({"$ref": "#/components/schemas/S0"}, document))) < 500_000


def test_a_list_that_contains_itself_ends():
    values = ["x"]
    values.append(values)
    assert json.dumps(inline({"enum": values}))


@pytest.mark.parametrize("key", ["enum", "default", "properties"])
def test_a_few_lists_that_mean_a_billion_values_are_cut(key):
    # As aliases of YAML make them.
    many = {"a": "x"} if key == "properties" else ["x"]
    for _ in range(30):
        many = {str(number): many for number in range(9)} if key == "properties" else [many] * 9
    assert len(json.dumps(inline({key: many}))) < 1_000_000


def test_all_schemas_of_a_document_together_are_cut():
    wide = {"type": "object", "properties": {str(number): {"type": "string"} for number in range(4000)}}
    schemas = Schemas({})
    parts = [len(schemas.inline(wide).get("properties", ())) for _ in range(200)]
    assert parts[0] == 4000
    assert parts[-1] == 0


def test_what_openapi_3_0_says_in_its_own_way_becomes_json_schema():
    schema = {"type": "string", "nullable": True, "enum": ["a"], "example": "a", "x-order": 1, "xml": {}}
    assert inline(schema) == {"type": ["string", "null"], "enum": ["a", None]}
    assert inline({"type": "integer", "minimum": 1, "exclusiveMinimum": True}) == {"type": "integer", "minimum": 1}


def test_properties_may_have_the_names_of_keywords():
    schema = {"type": "object", "properties": {"example": {"type": "string"}, "x-id": {"type": "integer"}}}
    assert inline(schema) == schema


def test_properties_that_only_the_service_sets_are_left_out():
    schema = {
        "type": "object",
        "properties": {"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}},
        "required": ["id", "name"],
    }
    assert inline(schema) == {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


@pytest.mark.parametrize("schema", [None, [], "text", {"properties": None}, {"allOf": [None]}, {"items": []}])
def test_schemas_that_are_none_do_no_harm(schema):
    assert isinstance(inline(schema), dict)
