"""Whatever a schema asks for, the real small model writes: calls and structured answers, judged by another library."""

import datetime as dt
import json
from contextlib import aclosing

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from sre_core.connectors.llm import LLMRequest, fold
from sre_core.messages import FinishReason, Message, SkillSpec

ORDER = Message.user(
    "Order 3 pizzas for anna@example.com on 24 May 2025 at 19:30, one of them vegan, at most 45.50 euros"
)
SCHEMAS = {
    "enum of strings": {"enum": ["margherita", "vegan", "tuna"]},
    "enum of several kinds": {"enum": [1, "one", None, True]},
    "const": {"const": "pizza"},
    "bounded integer": {"type": "integer", "minimum": 1, "maximum": 9},
    "exclusive bounds": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 100},
    "multiple": {"type": "integer", "multipleOf": 5, "minimum": 10, "maximum": 95},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "date and time": {"type": "string", "format": "date-time"},
    "email": {"type": "string", "format": "email"},
    "uuid": {"type": "string", "format": "uuid"},
    "ipv4": {"type": "string", "format": "ipv4"},
    "pattern": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{4}$"},
    "length": {"type": "string", "minLength": 3, "maxLength": 12},
    "list": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 4},
    "tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "minItems": 2, "maxItems": 2},
    "list of objects": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"kind": {"enum": ["vegan", "tuna"]}, "count": {"type": "integer"}},
            "required": ["kind", "count"],
        },
        "maxItems": 3,
    },
    "nested": {
        "type": "object",
        "properties": {
            "who": {
                "type": "object",
                "properties": {"email": {"type": "string"}, "age": {"type": ["integer", "null"]}},
                "required": ["email"],
            }
        },
        "required": ["who"],
    },
    "union": {
        "anyOf": [
            {"type": "object", "properties": {"cash": {"const": True}}, "required": ["cash"]},
            {"type": "object", "properties": {"card": {"type": "string", "maxLength": 16}}, "required": ["card"]},
        ]
    },
    "several types": {"type": ["number", "boolean", "null"]},
    "map": {"type": "object", "additionalProperties": {"type": "integer"}, "maxProperties": 3},
    "anything": {},
}
RECURSIVE = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/Node"}},
    "required": ["root"],
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 10},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}, "maxItems": 2},
            },
            "required": ["name"],
        }
    },
}
PARAMETERS = {
    name: {"type": "object", "properties": {"value": schema}, "required": ["value"]} for name, schema in SCHEMAS.items()
} | {"recursive reference": RECURSIVE}


@pytest.fixture
async def model(smollm):
    await smollm.start()
    return smollm


async def _ask(model, **changes):
    request = LLMRequest(messages=(ORDER,), max_tokens=600, **changes)
    async with aclosing(model.stream(request)) as chunks:
        return fold([chunk async for chunk in chunks])


FORMATS = FormatChecker()
# The checker's own knows no zones, which RFC 3339 demands.
FORMATS.checks("time", raises=ValueError)(lambda value: bool(dt.time.fromisoformat(value)))


def _check(schema, text):
    Draft202012Validator(schema, format_checker=FORMATS).validate(json.loads(text))


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("seed", [None, 1])
async def test_a_call_fits(model, name, seed):
    skill = SkillSpec(name="order_pizza", description="Order pizza for somebody.", parameters=PARAMETERS[name])
    temperature = None if seed is None else 1.3
    answer = await _ask(model, skills=(skill,), skill_choice="required", seed=seed, temperature=temperature)
    (call,) = answer.message.skill_calls
    _check(PARAMETERS[name], call.arguments)


@pytest.mark.parametrize("name", PARAMETERS)
async def test_a_structured_answer_fits(model, name):
    answer = await _ask(model, output_schema=PARAMETERS[name])
    assert answer.finish_reason is FinishReason.STOP
    _check(PARAMETERS[name], answer.message.text)
