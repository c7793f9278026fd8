"""Structured output: asked for, validated, repaired once."""

import json
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.agents.output import OutputFormat
from sre_core.agents.window import estimate_message
from sre_core.errors import ConfigError, LimitExceededError, ModelReplyError
from sre_core.messages import Message


class City(BaseModel):
    model_config = ConfigDict(strict=True)
    name: str
    people: int = Field(ge=0)
    founded: date | None = None


ROME = City(name="Rome", people=3, founded=date(753, 4, 21))


@dataclass
class Point:
    x: int
    y: int


class Options(TypedDict):
    loud: bool


class Color(Enum):
    RED = "red"


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


@pytest.mark.parametrize(
    ("output_type", "text", "expected"),
    [
        (
            City,
            '{"name": "Rome", "people": 3, "founded": "0753-04-21"}',
            City(name="Rome", people=3, founded=date(753, 4, 21)),
        ),
        (Point, 'Sure!\n```json\n{"x": 1, "y": 2}\n```\nAnything else?', Point(1, 2)),
        (Point, 'The answer is {"x": 1, "y": 2}.', Point(1, 2)),
        (Options, '{"loud": true}', {"loud": True}),
        (list[Point], '{"value": [{"x": 1, "y": 2}]}', [Point(1, 2)]),
        (list[Point], '[{"x": 1, "y": 2}]', [Point(1, 2)]),
        (list[int], "Here they are: [1, 2]", [1, 2]),
        (list[Point], 'Here: [{"x": 1, "y": 2}, {"x": 3, "y": 4}].', [Point(1, 2), Point(3, 4)]),
        (dict[str, int], '{"a": 1}', {"a": 1}),
        (Literal["yes", "no"], '{"value": "yes"}', "yes"),
        (Literal["yes", "no"], '"yes"', "yes"),
        (Color, '{"value": "red"}', Color.RED),
        (int | None, '{"value": null}', None),
        (bool, "false", False),
        (Tree, '{"value": {"name": "a", "children": [{"name": "b"}]}}', Tree(name="a", children=[Tree(name="b")])),
    ],
)
def test_what_models_write_becomes_the_object(output_type, text, expected):
    assert OutputFormat(output_type).read(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is empty"),
        ("Rome", "not valid JSON"),
        ('{"name": "Rome"', "not valid JSON"),
        ('{"name": "Rome"}', "'people' is missing"),
        ('{"name": "Rome", "people": -1}', "greater than or equal to 0"),
        ("[" * 100_000, "not valid JSON"),
        ("```" + "\n" * 500_000 + "x", "not valid JSON"),
    ],
)
def test_what_cannot_be_read_is_explained(text, says):
    with pytest.raises(ValueError, match=says):
        OutputFormat(City).read(text)


@pytest.mark.parametrize("output_type", [City, Point, list[Point], int, Tree, Color])
def test_every_schema_is_an_object_of_which_no_reference_is_lost(output_type):
    schema = OutputFormat(output_type).schema
    assert schema["type"] == "object"
    references = json.dumps(schema).split('"#/$defs/')[1:]
    assert {text.split('"')[0] for text in references} <= schema.get("$defs", {}).keys()


@pytest.mark.parametrize("output_type", [object(), type("Plain", (), {}), "Nowhere"])
def test_a_type_without_a_schema_is_refused(output_type):
    with pytest.raises(ConfigError, match="has no JSON schema"):
        OutputFormat(output_type)


async def test_the_schema_goes_with_the_request_where_the_connector_takes_it(stage):
    reply = await stage.run('{"x": 1, "y": 2}', output_type=Point, capabilities=["schema"])
    assert reply.output == Point(1, 2)
    assert stage.model.request.output_schema["required"] == ["x", "y"]
    assert [message.text for message in stage.model.request.messages] == ["hi"]


async def test_it_goes_into_the_prompt_where_the_connector_does_not(stage):
    await stage.run('{"x": 1, "y": 2}', output_type=Point, behavior="Be brief.")
    assert stage.model.request.output_schema is None
    system = stage.model.request.messages[0].text
    assert system.startswith("Be brief.\n\nGive your final answer as one JSON value")
    assert json.loads(system.splitlines()[-1])["properties"].keys() == {"x", "y"}


@pytest.mark.parametrize("wrong", ["no idea", '{"x": "left", "y": 2}'])
async def test_one_repair_is_asked_for_and_leaves_no_trace_in_the_conversation(stage, wrong):
    conversation = Conversation()
    reply = await stage.run(wrong, '{"x": 1, "y": 2}', output_type=Point, conversation=conversation)
    assert reply.output == Point(1, 2)
    asked = stage.model.request.messages
    assert asked[-2].text == wrong
    assert "That answer cannot be used" in asked[-1].text
    assert [message.text for message in conversation.messages] == ["hi", '{"x": 1, "y": 2}']
    assert reply.usage.input_tokens > 0
    assert reply.messages == conversation.messages[1:]


async def test_after_one_repair_the_run_fails(stage):
    conversation = Conversation()
    with pytest.raises(ModelReplyError, match="also after one repair: 'y' is missing"):
        await stage.run("no", '{"x": 1}', '{"x": 1, "y": 2}', output_type=Point, conversation=conversation)
    assert len(stage.model.requests) == 2
    assert len(conversation) == 1


async def test_skills_come_first_then_the_output(stage, asks):
    def where() -> str:
        return "1, 2"

    script = (asks(("where", "{}")), "at 1, 2", '{"x": 1, "y": 2}')
    reply = await stage.run(*script, skills=[where], output_type=Point, capabilities=["schema", "tools"])
    assert reply.output == Point(1, 2)
    assert [request.skill_choice for request in stage.model.requests] == ["auto", "auto", "none"]
    assert [message.text for message in stage.results()] == ["1, 2"]


async def test_a_model_that_calls_skills_instead_of_repairing_fails(stage, asks):
    def where() -> str:
        return "1, 2"

    with pytest.raises(ModelReplyError, match="asked to repair"):
        await stage.run("at 1, 2", asks(("where", "{}")), skills=[where], output_type=Point)


async def test_a_repair_is_a_turn_and_counts(stage):
    with pytest.raises(LimitExceededError, match="limit of 1 model turns"):
        await stage.run("no", output_type=Point, limits=Limits(turns=1))


async def test_the_repair_has_its_place_in_the_window(stage):
    history = [message for _ in range(20) for message in (Message.user("a " * 20), Message.assistant("b " * 20))]
    conversation = Conversation(messages=history)
    limits = Limits(window_tokens=400)
    wrong = "no " * 50
    reply = await stage.run(wrong, '{"x": 1, "y": 2}', output_type=Point, conversation=conversation, limits=limits)
    assert reply.output == Point(1, 2)
    first, second = (sum(map(estimate_message, request.messages)) for request in stage.model.requests)
    assert 300 < first <= 400
    assert 300 < second <= 400
