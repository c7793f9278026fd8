"""Every part of a schema that may repeat gets a bound, and what has one keeps it."""

from sre_smollm.writing.schema import bounded


def test_strings_numbers_lists_and_objects_get_bounds():
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "count": {"type": "integer"},
            "share": {"type": "number"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "anything": {"type": "object"},
        },
    }
    parts = bounded(schema)["properties"]
    assert parts["text"]["maxLength"] == 400
    assert parts["count"]["maximum"] == 10**15
    assert parts["share"]["multipleOf"] == 0.000001
    assert parts["tags"]["maxItems"] == 16
    assert parts["tags"]["items"]["maxLength"] == 400
    assert parts["anything"]["maxProperties"] == 16


def test_bounds_of_the_schema_itself_are_kept():
    assert bounded({"type": "string", "maxLength": 3}) == {"type": "string", "maxLength": 3}
    assert bounded({"type": "string", "pattern": "^a$"}) == {"type": "string", "pattern": "^a$"}
    assert bounded({"type": "array", "minItems": 20, "items": {"const": 1}})["maxItems"] == 20
    assert bounded({"type": "integer", "exclusiveMinimum": 0})["exclusiveMinimum"] == 0
    assert "minimum" not in bounded({"type": "integer", "exclusiveMinimum": 0})


def test_unions_definitions_and_missing_types_are_walked():
    schema = {
        "anyOf": [{"type": "string"}, {"$ref": "#/$defs/Place"}],
        "$defs": {"Place": {"properties": {"name": {"type": "string"}}}},
    }
    out = bounded(schema)
    assert out["anyOf"][0]["maxLength"] == 400
    assert out["anyOf"][1] == {"$ref": "#/$defs/Place"}
    assert out["$defs"]["Place"]["type"] == "object"
    assert out["$defs"]["Place"]["properties"]["name"]["maxLength"] == 400
    assert [one["type"] for one in bounded({"type": ["string", "null"]})["anyOf"]] == ["string", "null"]
    assert len(bounded({})["anyOf"]) == 4


def test_a_skill_without_arguments_takes_none():
    assert bounded({"type": "object", "properties": {}})["additionalProperties"] is False
