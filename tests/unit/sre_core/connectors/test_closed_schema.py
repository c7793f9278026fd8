"""Schemas in the part of the language that servers of Claude enforce."""

import json
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from sre_core.connectors.closed_schema import closed_schema
from sre_core.errors import UnsupportedError


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    name: str = Field(min_length=1, description="What it is called.")
    colour: Colour = Colour.RED


class Thing(BaseModel):
    """Something."""

    kind: Literal["a", "b"]
    size: int = Field(ge=1, le=9)
    parts: list[Part] = Field(min_length=1, max_length=3)


def test_a_schema_of_pydantic_is_closed_and_says_the_rest_in_words():
    plain = closed_schema(Thing.model_json_schema())
    assert plain["additionalProperties"] is False
    assert plain["properties"]["size"].keys() == {"title", "type", "description"}
    assert "minimum: 1" in plain["properties"]["size"]["description"]
    assert plain["properties"]["parts"]["minItems"] == 1
    assert "maxItems: 3" in plain["properties"]["parts"]["description"]
    part = plain["$defs"]["Part"]
    assert part["additionalProperties"] is False
    assert part["properties"]["name"]["description"].startswith("What it is called.\n\n{minLength")


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
        closed_schema(schema)


def test_an_object_without_keys_is_no_open_one():
    assert closed_schema({"type": "object", "additionalProperties": False})["properties"] == {}


def test_the_schema_given_is_not_changed():
    schema = Thing.model_json_schema()
    before = json.dumps(schema)
    closed_schema(schema)
    assert json.dumps(schema) == before


def test_what_must_match_one_schema_is_a_choice_of_one():
    # https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
    place = {"type": "object", "properties": {"name": {"type": "string"}}}
    schema = {"type": "object", "properties": {"at": {"allOf": [{"$ref": "#/$defs/Place"}]}}, "$defs": {"Place": place}}
    assert closed_schema(schema)["properties"]["at"] == {"anyOf": [{"$ref": "#/$defs/Place"}]}
