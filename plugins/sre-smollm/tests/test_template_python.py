"""Calls written as Python: told as signatures, read without running anything, bound by a grammar."""

import json

import pytest

from sre_core.errors import ModelReplyError
from sre_core.messages import SkillSpec
from sre_smollm.prompts.pythoncalls import call_source, parse_calls, python_grammar, signature

WEATHER = SkillSpec(
    name="get-weather",
    description="The weather.\nOf a city.",
    parameters={
        "type": "object",
        "properties": {
            "from": {"type": "integer", "minimum": 0, "maximum": 9},
            "city": {"type": "string", "maxLength": 20, "description": "Where."},
            "unit": {"enum": ["c", "f"], "default": "c"},
            "exact": {"type": "boolean"},
            "days": {"type": "array", "items": {"type": ["boolean", "null"]}, "maxItems": 3},
            "near": {"$ref": "#/$defs/place"},
        },
        "required": ["city"],
        "$defs": {"place": {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}},
    },
)
NOW = SkillSpec(name="now", description="", parameters={"type": "object"})
SKILLS = (WEATHER, NOW)


def test_a_skill_is_told_as_a_signature():
    text = signature(WEATHER)
    assert text.startswith('def get_weather(city: str, from_: int = None, unit: Literal["c", "f"] = "c", ')
    assert "    Of a city.\n" in text
    assert "        city: Where." in text
    compile(f"Literal = {{'c': 1, ('c', 'f'): 2}}\n{text}\n{signature(NOW)}", "signatures", "exec")


def test_calls_are_read_by_name_by_place_and_inside_print():
    lines = (
        'r = get_weather("Zürich \\ud83d\\ude42 a\\/b \\d", -3, exact=true)',
        "print(now())",
        'get_weather(city="", days=[True, null])',
    )
    assert parse_calls("\n".join(lines), SKILLS) == [
        ("get-weather", {"city": "Zürich 🙂 a/b \\d", "from": -3, "exact": True}),
        ("now", {}),
        ("get-weather", {"city": "", "days": [True, None]}),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "get_weather(open('x'))",
        "__import__('os').system('true')",
        "now.__class__()",
        "x = 1",
        "for i in (1,): now()",
        "now(**{})",
        "now(*[1])",
        "now(1)",
        "now(",
        "get_weather('a', city='b')",
        "get_weather(1e999)",
        "get_weather(b'a')",
        "get_weather(f'{1}')",
        "get_weather({**{}})",
        "lambda: now()",
        "print(1)",
        "(" * 5000,
        "-" * 50_000 + "1",
        "now()\x00",
    ],
)
def test_anything_else_is_refused_and_nothing_runs(text):
    with pytest.raises(ModelReplyError):
        parse_calls(text, SKILLS)


def test_a_call_survives_being_written_and_read():
    arguments = {"city": 'a "b" \\ \n é🙂', "from": 3, "days": [True, None], "near": {"x": -1.5}}
    assert parse_calls(call_source("get-weather", arguments), SKILLS) == [("get-weather", arguments)]


@pytest.fixture(scope="module")
def fits():
    from llguidance import LLMatcher, LLTokenizer

    tokens, grammar = LLTokenizer("byte"), python_grammar(SKILLS)

    def fits(text):
        matcher = LLMatcher(tokens, grammar)
        assert not matcher.is_error(), matcher.get_error()
        ids = list(text.encode())
        return matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting()

    return fits


def test_the_grammar_lets_calls_of_the_skills_through(fits):
    for text in (
        'get_weather(city="Bern")',
        'get_weather(city="é", from_=3, unit="f", exact=True, days=[true, null], near={"x": 1.5})',
        'get_weather(city="", near={"x": 1})',
        "now()\nnow()",
    ):
        assert fits(text), text
        assert json.dumps(parse_calls(text, SKILLS))


def test_the_grammar_stops_everything_else(fits):
    for text in (
        "import os",
        "get_weather()",
        "get_weather(from_=3)",
        'get_weather(city="a", from_=10)',
        'get_weather(city="a", exact=1)',
        'get_weather(city="a",)',
        f'get_weather(city="{"a" * 21}")',
        "now() ",
        "\n".join(["now()"] * 9),
    ):
        assert not fits(text), text


def test_arguments_that_may_all_be_left_out_have_no_stray_commas():
    from llguidance import LLMatcher, LLTokenizer

    flags = {name: {"type": "boolean"} for name in "abc"}
    grammar = python_grammar((SkillSpec(name="f", description="", parameters={"properties": flags}),))
    for text, good in (("f()", True), ("f(b=True)", True), ("f(a=True, c=False)", True), ("f(, a=True)", False)):
        matcher = LLMatcher(LLTokenizer("byte"), grammar)
        ids = list(text.encode())
        assert (matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting()) is good, text
