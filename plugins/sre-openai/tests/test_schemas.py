"""Which schemas are sent as strict: those that OpenAI takes as they are, since it refuses requests with others."""

from typing import Any

import pytest

from sre_core.messages import SkillSpec
from sre_openai.chat.request import chat_skill
from sre_openai.presets import PRESETS
from sre_openai.responses.request import responses_skill
from sre_openai.schemas import is_strict, schema_name


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


NODE = {"$defs": {"Node": closed(next={"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]})}}


@pytest.mark.parametrize(
    "schema",
    [
        closed(),
        closed(a={"type": "integer"}),
        closed(a={"type": ["string", "null"], "description": "A."}),
        closed(a={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        closed(a={"type": "string", "enum": ["x", "y"]}),
        closed(a={"type": "array", "items": {"type": "string"}}),
        closed(a=closed(b={"type": "boolean"})),
        closed(a={"$ref": "#/$defs/Node"}) | NODE,
        closed(a={"$ref": "#"}),
    ],
)
def test_what_the_documentation_allows_is_strict(schema: dict[str, Any]):
    assert is_strict(schema)
    assert is_strict(schema, bounds=False)


@pytest.mark.parametrize(
    "schema",
    [
        closed(a={}),
        closed(a={"description": "Anything."}),
        closed(a={"enum": ["x"]}),
        closed(a={"type": "array"}),
        closed(a={"type": "array", "items": {}}),
        closed(a={"type": ["array", "null"]}),
        closed(a={"$ref": "#/$defs/Node", "description": "It."}) | NODE,
        closed(a={"anyOf": [{"type": "integer"}, {}]}),
        closed(a={"oneOf": [{"type": "integer"}]}),
        closed(a={"type": "object", "additionalProperties": {"type": "integer"}}),
        closed(a={"type": "object", "properties": {}, "required": []}),
        closed(a={"type": "integer", "default": 1}),
        closed(a={"type": "string", "minLength": 1}),
        closed(a={"type": "string", "format": "uri"}),
        closed(a={"$ref": "#/$defs/Open"}) | {"$defs": {"Open": {"type": "object"}}},
        closed(a={"type": "integer"}) | {"required": []},
        {"anyOf": [closed()]},
        {"type": "string"},
        {"type": "object", "properties": ["a"]},
        {"type": "object", "properties": {}, "required": 3, "additionalProperties": False},
        closed(a={"type": "string", "format": ["x"]}),
        closed(a={"type": "array", "items": [{"type": "string"}]}),
        closed(a={"anyOf": 3}),
        {},
    ],
)
def test_what_would_be_refused_is_not_strict(schema: dict[str, Any]):
    assert not is_strict(schema)


def test_azure_takes_no_bounds_in_strict_schemas():
    schema = closed(a={"type": "integer", "minimum": 1}, b={"type": "string", "pattern": "^x"})
    skill = SkillSpec(name="f", description="", parameters=schema)
    assert responses_skill(skill, PRESETS["openai"])["strict"] is True
    assert responses_skill(skill, PRESETS["azure"])["strict"] is False
    assert chat_skill(skill, PRESETS["openai"])["function"]["strict"] is True
    assert "strict" not in chat_skill(skill, PRESETS["azure"])["function"]


@pytest.mark.parametrize(("title", "name"), [("My sum!", "My_sum_"), ("和", "_"), ("", "answer"), (3, "answer")])
def test_a_schema_has_a_legal_name(title: Any, name: str):
    assert schema_name({"title": title}) == name
