"""Arguments on the command line: text, JSON, files, and what is no argument at all."""

import os
from pathlib import Path
from typing import Any, Literal

import click
import pytest

from sre_cli.arguments import parse_arguments, parse_pairs, skill_schema
from sre_sdk import Agent, Skill
from tests.unit.sre_cli.files import echoing


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("a=hello world", "hello world"),
        ("a=", ""),
        ("a=x=1&y=2", "x=1&y=2"),
        ("a==", "="),
        ('a="quoted"', "quoted"),
        ("a='single'", "'single'"),
        ("a=7", 7),
        ("a=-1.5e3", -1500.0),
        ("a=007", "007"),
        ("a=+1", "+1"),
        ("a=true", True),
        ("a=True", "True"),
        ("a=null", None),
        ("a=[1, 2]", [1, 2]),
        ('a={"x": [null]}', {"x": [None]}),
        ("a={x: 1}", "{x: 1}"),
        ("a=NaN", "NaN"),
        ("a=Infinity", "Infinity"),
        ("a=[NaN]", "[NaN]"),
        ("a=" + "[" * 100_000, "[" * 100_000),
        ("a=" + "9" * 5000, "9" * 5000),
        ("a=  7 ", 7),
        ("a=ключ", "ключ"),
    ],
)
def test_a_value_is_json_where_it_is_json_and_else_text(word, wanted):
    assert parse_arguments([word]) == {"a": wanted}


@pytest.mark.parametrize("value", ["007", "7", "true", "null", '"quoted"', "[1]", "{}"])
def test_a_text_stays_as_it_is_where_text_is_wanted(value):
    assert parse_arguments([f"a={value}"], schema=schema(a={"type": "string"})) == {"a": value}


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "7", "7"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "null", None),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "7", 7),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "7.5", "7.5"),
        ({"anyOf": [{"type": "string"}, {}]}, "7", 7),
        ({"type": ["string", "array"]}, "[1]", [1]),
        ({"type": ["string", "array"]}, "{}", "{}"),
        ({"type": "integer"}, "seven", "seven"),
        ({"$ref": "#/$defs/Size"}, "1", "1"),
        ({"$ref": "#/$defs/Missing"}, "1", 1),
        (True, "1", 1),
    ],
)
def test_what_several_types_allow_is_read_as_one_of_them(kind, value, wanted):
    whole = {**schema(a=kind), "$defs": {"Size": {"enum": ["1", "2"], "type": "string"}}}
    assert parse_arguments([f"a={value}"], schema=whole) == {"a": wanted}


def test_words_go_before_the_json_object_and_files_come_as_paths(tmp_path: Path):
    (tmp_path / "cat=1.png").write_bytes(b"meow")
    found = parse_arguments(["a=1"], text='{"a": 0, "b": [2]}', files=[f"c={tmp_path}/cat=1.png"])
    assert found == {"a": 1, "b": [2], "c": tmp_path / "cat=1.png"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"words": ["a"]}, "written as NAME=VALUE, not 'a'"),
        ({"words": ["=1"]}, "written as NAME=VALUE, not '=1'"),
        ({"words": ["a=1", "a=2"]}, "called 'a' is given twice"),
        ({"words": [], "files": ["a=nothing.png"]}, "No such file: 'nothing.png'"),
        ({"words": [], "files": ["a=."]}, "No such file: '.'"),
        ({"words": ["a=1"], "files": ["a=x"]}, "called 'a' is given twice"),
        ({"words": [], "files": ["a=x", "a=y"]}, "called 'a' is given twice"),
        ({"words": [], "text": "{"}, "The arguments are no JSON"),
        ({"words": [], "text": '{"a": NaN}'}, "NaN is no number"),
        ({"words": [], "text": "[" * 100_000}, "nested too deep"),
        ({"words": [], "text": "[1]"}, "The arguments are a JSON object"),
        ({"words": [], "text": ""}, "The arguments are no JSON"),
        ({"words": [os.fsdecode(b"a=\xff")]}, "An argument is no text: byte 2 is not UTF-8"),
        ({"words": [], "text": os.fsdecode(b'{"a": "\xff"}')}, "The JSON is no text"),
    ],
)
def test_what_is_no_argument_is_a_wrong_usage(given, message):
    with pytest.raises(click.UsageError, match=message):
        parse_arguments(**given)


def test_pairs_are_text():
    assert parse_pairs(["a=1", "b=x=y"], "A pair") == {"a": "1", "b": "x=y"}


def test_the_schema_of_a_skill_is_known_for_functions_endpoints_and_hidden_ones():
    def size(of: Literal["1", "2"]) -> str:
        """Say it."""
        return of

    agent = Agent.load(echoing("String"), skills=[size])
    assert parse_arguments(["of=1"], schema=skill_schema(agent, "size")) == {"of": "1"}
    for hidden in (False, True):
        agent = Agent.load(echoing("String", ai_exposed=not hidden))
        assert parse_arguments(["a=007", "b=007"], schema=skill_schema(agent, "ask")) == {"a": "007", "b": "007"}
        assert parse_arguments(["a=7", "b=7"], schema=skill_schema(agent, "ask")) == {"a": "7", "b": 7}
    assert skill_schema(agent, "nothing") is None
    assert skill_schema(Agent("x", skills=[Skill.from_function(size)]), "nothing") is None
