"""Parameters narrowed to what a request says, and the values that a request holds."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.messages import SkillSpec
from sre_smollm.prompts.grounding import ground
from sre_smollm.prompts.stems import plain_name, stems
from sre_smollm.prompts.values import numbers, pieces, runs
from sre_smollm.prompts.worked_examples import arguments_prompt


def grounded(part, words, *, required=True, name=""):
    schema = {"type": "object", "properties": {"value": part}, "required": ["value"] if required else []}
    return ground(schema, words, name=name)["properties"].get("value")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("add 3.5 and 8", [3.5, 8]),
        ("pay $1,250,000 or -7", [1250000, -7]),
        ("5% of two", [5, 0.05, 2]),
        ("3 million and 5k", [3000000, 5000]),
        ("2 moles at 300 K", [2, 300]),
        ("from 1871-1945", [1871, 1945]),
        ("nothing here", []),
    ],
)
def test_the_numbers_of_a_request_are_found(words, found):
    assert numbers(words)[: len(found)] == found


def test_rows_of_numbers_are_kept_together():
    assert runs("A with 12, 24, 36 and B with 15, 30 and 45, alpha 2") == [[12, 24, 36], [15, 30, 45]]


def test_pieces_hold_names_quotes_and_ends_of_sentences_but_no_halves_of_names():
    found = pieces(
        'Send a note to Ann Lee that says "see you there" and tell her I will be late for the dinner on Monday'
    )
    assert "Ann Lee" in found
    assert "see you there" in found
    assert "I will be late for the dinner on Monday" in found
    assert "Ann" not in found
    assert "Lee" not in found


def test_a_string_becomes_a_piece_of_the_request():
    part = grounded({"type": "string"}, "What is the weather in New York?")
    assert "New York" in part["enum"]
    assert all(one in "What is the weather in New York?" for one in part["enum"])


def test_what_the_name_of_the_skill_says_is_no_part_of_a_value():
    part = grounded({"type": "string"}, "Find rock concerts in Rome", name="find_concert")
    assert "rock" in part["enum"]
    assert "rock concerts" not in part["enum"]


def test_a_number_becomes_one_of_the_numbers_of_the_request():
    assert grounded({"type": "integer"}, "a timer for 10 or 2.5 minutes")["enum"] == [10]
    assert grounded({"type": "number", "maximum": 5}, "a timer for 10 or 2.5 minutes")["enum"] == [2.5]


def test_a_list_of_numbers_becomes_a_row_of_the_request():
    part = grounded({"type": "array", "items": {"type": "number"}}, "sort 5, 3, 9")
    assert part == {"enum": [[5, 3, 9]]}


def test_choices_that_the_request_names_stay():
    part = {"type": "string", "enum": ["low", "normal", "high"]}
    assert grounded(part, "a ticket of high priority")["enum"] == ["high"]
    assert grounded(part, "a ticket") == part


@pytest.mark.parametrize(
    "part",
    [
        {"type": "string", "pattern": "^[A-Z]{3}$"},
        {"type": "string", "format": "date"},
        {"type": "string", "description": "ISO code of the currency"},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"$ref": "#/$defs/Place"},
        {"const": 5},
        {"type": "boolean"},
    ],
)
def test_parts_that_are_made_and_not_copied_stay_as_they_are(part):
    assert grounded(part, "Turn 5 dollars into euros") == part


def test_an_optional_argument_stays_only_when_the_request_speaks_of_it():
    assert grounded({"type": "string"}, "Find a hotel in Rome", required=False) is None
    part = {"type": "string", "enum": ["low", "high"]}
    assert grounded(part, "a task of high priority", required=False) is not None
    assert grounded(part, "a task", required=False) is None
    assert grounded({"type": "number"}, "a table for 4", required=False) is not None
    assert grounded({"type": "number"}, "a table", required=False) is None


def test_a_document_leaves_the_model_free():
    words = " ".join(f"word{number}" for number in range(2000))
    assert grounded({"type": "string"}, words) == {"type": "string"}


def test_without_numbers_or_pieces_nothing_is_narrowed():
    assert grounded({"type": "integer"}, "the") == {"type": "integer"}
    assert grounded({"type": "string"}, "") == {"type": "string"}


def test_parameters_without_properties_stay_as_they_are():
    assert ground({"type": "object"}, "anything") == {"type": "object"}


def test_objects_inside_are_narrowed_too():
    part = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
    assert grounded(part, "send 3")["properties"]["count"]["enum"] == [3]


def test_stems_and_names():
    assert stems("Converting the temperatures") & stems("convert a temperature")
    assert plain_name("getTime_of.day") == "get Time of day"


@given(st.text(max_size=200))
def test_any_request_can_be_read(words):
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "number"}, "c": {"type": "array", "items": {}}},
        "required": ["a", "b", "c"],
    }
    narrowed = ground(schema, words)
    json.dumps(narrowed)
    assert set(narrowed["properties"]) == {"a", "b", "c"}
    assert all(piece.strip() for piece in pieces(words))


def test_the_prompt_for_arguments_ends_with_the_skill_and_the_request():
    skill = SkillSpec(
        name="get_weather",
        description="Get the weather.",
        parameters={"type": "object", "properties": {"city": {"type": "string"}}},
    )
    one, other = (arguments_prompt(skill, words) for words in ("Is it raining in Oslo?", "{braces} stay"))
    assert one.endswith(
        "Function: get_weather: Get the weather.\n- city: city\nRequest: Is it raining in Oslo?\nArguments: "
    )
    assert other.endswith("Request: {braces} stay\nArguments: ")
    assert one.split("Is it")[0] == other.split("{braces}")[0]


def test_percent_is_taken_as_written_when_the_argument_says_percent():
    part = {"type": "number", "description": "tip in percent"}
    assert grounded(part, "a 10% tip")["enum"] == [10]
    assert grounded({"type": "number"}, "a 10% tip")["enum"] == [10, 0.1]


def test_the_whole_of_a_longer_request_is_no_value():
    words = "It is far too cold in here, heat the bathroom"
    assert words not in grounded({"type": "string"}, words)["enum"]
    assert "Berlin" in grounded({"type": "string"}, "Berlin")["enum"]


def test_an_enumeration_behind_a_reference_is_narrowed_and_wanted_when_it_is_named():
    unit = {"enum": ["celsius", "fahrenheit"], "type": "string"}
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"$ref": "#/$defs/Unit", "default": "celsius"}},
        "required": ["city"],
        "$defs": {"Unit": unit},
    }
    found = ground(parameters, "Is it warm in Tokyo, in fahrenheit?")
    assert found["properties"]["unit"]["enum"] == ["fahrenheit"]
    assert found["required"] == ["city", "unit"]
    assert "unit" not in ground(parameters, "Is it warm in Tokyo?")["properties"]
