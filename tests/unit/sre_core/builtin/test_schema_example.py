"""The smallest value that a schema allows."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from sre_core.builtin.schema_example import example


class Inner(BaseModel):
    word: str = Field(min_length=3, max_length=5)
    kind: Literal["b", "a"]


class Outer(BaseModel):
    inner: Inner
    many: list[Inner] = Field(min_length=2)
    maybe: int | None
    ratio: float = Field(gt=2)
    count: int = Field(ge=-5, le=-2)
    yes: bool
    extra: str = "left out"


@pytest.mark.parametrize("text", ["", "hi", "a long text"])
def test_what_pydantic_describes_it_also_accepts(text):
    made = Outer.model_validate(example(Outer.model_json_schema(), text=text))
    assert made.inner.kind == "b"
    assert len(made.many) == 2


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": 7}, 7),
        ({"enum": ["x", "y"]}, "x"),
        ({"type": ["null", "string"]}, None),
        ({"oneOf": [{"type": "integer", "minimum": 3}]}, 3),
        ({"type": "string", "default": "d"}, "d"),
        ({"type": "array"}, []),
        ({"properties": {"a": {"type": "boolean"}}, "required": ["a"]}, {"a": False}),
        ({"$ref": "#/nowhere"}, None),
        ({}, ""),
    ],
)
def test_each_word_of_the_schema_is_followed(schema, expected):
    assert example(schema) == expected


def test_a_schema_that_contains_itself_ends():
    schema = {"$defs": {"node": {"$ref": "#/$defs/node"}}, "$ref": "#/$defs/node"}
    assert example(schema) is None


def test_union_types_give_a_value_of_the_first():
    adapter = TypeAdapter(int | str)
    assert adapter.validate_python(example(adapter.json_schema())) == 0
