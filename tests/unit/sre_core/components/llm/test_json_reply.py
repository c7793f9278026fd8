"""What a model is asked for, and how its JSON is read."""

import pytest

from sre_core.components.llm.json_reply import Field, fields_of, instructions, read_loose, read_strict, schema
from sre_core.components.node import Node, OutputPort


def names(*ports):
    node = Node(id="N", type="GenAILLM", outputs=(OutputPort(name="Reply", default=True), *ports))
    return [field.name for field in fields_of(node, reply="Reply")]


def test_fields_are_the_first_steps_of_paths_each_once():
    ports = [
        OutputPort(name="a"),
        OutputPort(name="B", expression="b.c"),
        OutputPort(name="C", expression="Reply.b.d"),
        OutputPort(name="D", expression="Reply"),
        OutputPort(name="_error"),
        OutputPort(name="E", expression="_debug"),
    ]
    assert names(*ports) == ["a", "b"]


def test_a_description_is_that_of_the_output_of_the_same_name():
    ports = (OutputPort(name="X", expression="a.b", description="of X"), OutputPort(name="a", description="of a"))
    node = Node(id="N", type="GenAILLM", outputs=ports)
    assert fields_of(node, reply="Reply") == (Field(name="a", description="of a"),)


def test_a_schema_is_closed_and_wants_all_fields():
    found = schema([Field(name="a"), Field(name="b", description="d")], value={"type": "boolean"})
    assert found["properties"] == {"a": {"type": "boolean"}, "b": {"type": "boolean", "description": "d"}}
    assert found["required"] == ["a", "b"]


def test_instructions_name_each_field():
    told = instructions([Field(name='odd "name"', description="über")])
    assert '\\"name\\"' in told
    assert "über" in told


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Here: {"a": 1} and more', {"a": 1}),
        ("```json\n{'a': 1,}\n```", {"a": 1}),
        ("[1]", [1]),
        ("no", None),
        ("12", None),
        ("", None),
    ],
)
def test_json_is_found_wherever_it_is(text, found):
    assert read_loose(text) == found


@pytest.mark.parametrize("text", ["", "a", "1", "null", '"a"', '{"a": 1} b', "{a: 1}", "[" * 100_000])
def test_only_what_is_json_from_end_to_end_is_read_strictly(text):
    assert read_strict(text) == text


def test_a_reply_of_a_megabyte_is_read():
    items = ", ".join(f'"n{i}": {i}' for i in range(60_000))
    assert len(read_loose("{" + items + "}")) == 60_000
