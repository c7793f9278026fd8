"""Schemas in the part of the language that the API enforces."""

from enum import Enum
from typing import Any, Literal

import jsonschema
import pytest
from anthropic import transform_schema
from pydantic import BaseModel, Field

from sre_core.connectors.closed_schema import closed_schema

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


def test_a_schema_of_pydantic_becomes_one_that_the_api_takes():
    plain = closed_schema(Thing.model_json_schema())
    _check_schema(plain)
    jsonschema.Draft202012Validator.check_schema(plain)


def test_it_allows_what_the_official_client_would_allow():
    theirs = transform_schema(Thing)
    ours = closed_schema(Thing.model_json_schema())
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
    plain = closed_schema(schema)
    _check_schema(plain)
    for good in ({"a": "xx", "b": 3}, {"a": None, "b": None}, {}):
        jsonschema.validate(good, plain)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"a": 1}, plain)
    assert plain["$defs"]["one"]["description"] == "One."
