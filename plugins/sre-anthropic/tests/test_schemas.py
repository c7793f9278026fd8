"""Schemas in the part of the language that the API enforces."""

import json
from enum import Enum
from typing import Any, Literal

import jsonschema
import pytest
from anthropic import transform_schema
from pydantic import BaseModel, Field

from sre_anthropic.schemas import input_schema, output_schema
from sre_core.errors import UnsupportedError

from .fake_rules import _check_schema  # noqa: TID252 -- the folder of tests is no package


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    name: str = Field(min_length=1, description="What it is called.")
    colour: Colour = Colour.RED
    made: str | None = Field(default=None, json_schema_extra={"format": "date"})


class Thing(BaseModel):
    """Something."""

    kind: Literal["a", "b"]
    size: int = Field(ge=1, le=9)
    parts: list[Part] = Field(min_length=1, max_length=3)
    note: str | int | None = None


def test_a_schema_of_pydantic_is_closed_and_says_the_rest_in_words():
    plain = output_schema(Thing.model_json_schema())
    _check_schema(plain)
    assert plain["additionalProperties"] is False
    assert plain["properties"]["size"].keys() == {"title", "type", "description"}
    assert "minimum: 1" in plain["properties"]["size"]["description"]
    assert plain["properties"]["parts"]["minItems"] == 1
    assert "maxItems: 3" in plain["properties"]["parts"]["description"]
    assert plain["$defs"]["Part"]["properties"]["name"]["description"].startswith("What it is called.\n\n{minLength")
    jsonschema.Draft202012Validator.check_schema(plain)


def test_it_allows_what_the_official_client_would_allow():
    theirs = transform_schema(Thing)
    ours = output_schema(Thing.model_json_schema())
    good = {"kind": "a", "size": 3, "parts": [{"name": "x", "colour": "red", "made": None}], "note": "n"}
    bad: list[Any] = [good | {"more": 1}, good | {"kind": "c"}, good | {"size": "3"}, {"kind": "a"}]
    for schema in (theirs, ours):
        jsonschema.validate(good, schema)
        for one in bad:
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(one, schema)


def test_other_dialects_are_translated():
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "definitions": {"one": {"type": ["string", "null"], "minLength": 2, "description": "One."}},
        "properties": {"a": {"$ref": "#/definitions/one"}, "b": {"oneOf": [{"type": "null"}, {"const": 3}]}},
    }
    plain = output_schema(schema)
    _check_schema(plain)
    for good in ({"a": "xx", "b": 3}, {"a": None, "b": None}, {}):
        jsonschema.validate(good, plain)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"a": 1}, plain)
    assert plain["$defs"]["one"]["description"] == "One."


@pytest.mark.parametrize(
    ("schema", "where"),
    [
        ({}, "the answer"),
        ({"type": "object"}, "the answer"),
        ({"type": "object", "properties": {"x": {}}}, "'x'"),
        ({"type": "object", "properties": {"x": True}}, "'x'"),
        (
            {"type": "object", "properties": {"x": {"type": "object", "additionalProperties": {"type": "string"}}}},
            "'x'",
        ),
        ({"type": "array"}, "an item of the answer"),
    ],
)
def test_a_schema_that_is_open_is_refused_with_the_place(schema: dict[str, Any], where: str):
    with pytest.raises(UnsupportedError, match=where):
        output_schema(schema)


def test_an_object_without_keys_is_no_open_one():
    assert output_schema({"type": "object", "additionalProperties": False})["properties"] == {}


def test_the_schema_given_is_not_changed():
    schema = Thing.model_json_schema()
    before = json.dumps(schema)
    output_schema(schema)
    assert json.dumps(schema) == before


def test_arguments_are_always_an_object():
    assert input_schema({"properties": {}}) == {"type": "object", "properties": {}}
    assert input_schema({"type": "object"}) == {"type": "object"}


def test_what_must_match_one_schema_is_a_choice_of_one():
    # https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
    place = {"type": "object", "properties": {"name": {"type": "string"}}}
    schema = {"type": "object", "properties": {"at": {"allOf": [{"$ref": "#/$defs/Place"}]}}, "$defs": {"Place": place}}
    assert output_schema(schema)["properties"]["at"] == {"anyOf": [{"$ref": "#/$defs/Place"}]}
