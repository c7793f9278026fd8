"""Every part of a schema that may repeat gets a bound, and what has one keeps it."""

import re

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
    assert bounded({"type": "string", "pattern": "^a$"}) == {
        "type": "string",
        "pattern": "^a$",
        "maxLength": 400,
    }
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


def test_a_schema_that_contains_itself_ends_after_three_levels():
    node = {"type": "object", "properties": {"next": {"$ref": "#"}, "name": {"type": "string"}}, "required": ["name"]}
    out = bounded(node)
    first, second, third = (out["$defs"][f"root.{level}"] for level in (1, 2, 3))
    assert out["$ref"] == "#/$defs/root.1"
    assert first["properties"]["next"]["$ref"] == "#/$defs/root.2"
    assert second["properties"]["next"]["$ref"] == "#/$defs/root.3"
    assert set(third["properties"]) == {"name"}
    assert third["additionalProperties"] is False


def test_alternatives_and_lists_that_would_go_deeper_are_left_out():
    tree = {
        "$defs": {
            "Leaf": {"type": "integer"},
            "Tree": {
                "anyOf": [
                    {"$ref": "#/$defs/Leaf"},
                    {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
                    {"type": "array", "items": {"$ref": "#/$defs/Tree"}, "minItems": 1},
                ]
            },
        },
        "$ref": "#/$defs/Tree",
    }
    deepest = bounded(tree)["$defs"]["Tree.3"]["anyOf"]
    assert [one.get("maxItems", one.get("$ref")) for one in deepest] == ["#/$defs/Leaf", 0]


def test_a_schema_that_must_nest_for_ever_stays_as_it_is():
    endless = {"type": "object", "properties": {"again": {"$ref": "#"}}, "required": ["again"]}
    assert bounded(endless)["properties"]["again"] == {"$ref": "#"}


def test_names_of_a_map_and_digits_of_a_duration_are_bounded():
    (pattern,) = bounded({"type": "object", "additionalProperties": {"type": "integer"}})["patternProperties"]
    assert re.fullmatch(pattern, "a name")
    assert not re.fullmatch(pattern, "a" * 41)
    duration = bounded({"type": "string", "format": "duration"})["pattern"]
    assert [bool(re.fullmatch(duration, text)) for text in ("P3D", "PT1H30M", "P1D1", "P10000000000D")] == [1, 1, 0, 0]
