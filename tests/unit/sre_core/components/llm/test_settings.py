"""Settings as files have them, and the requests that they fill."""

import pytest
from pydantic import ValidationError

from sre_core.components.llm.settings import PromptSettings, model_name, split_list
from sre_core.connectors.llm import LLMRequest

BASE = LLMRequest(messages=(), model="m", max_tokens=99, temperature=0.7, stop=("Q:",), options={"user": "u"})


def test_what_is_not_set_stays_as_the_catalogue_has_it():
    assert PromptSettings.model_validate({"prompt": "p"}).fill(BASE, "openai") == BASE


def test_what_is_set_goes_before_the_catalogue():
    data = {"maxTokens": "5", "temperature": "0", "stopSequences": "a,b", "topK": 7}
    filled = PromptSettings.model_validate(data).fill(BASE, "openai")
    assert (filled.max_tokens, filled.temperature, filled.stop) == (5, 0.0, ("a", "b"))
    assert filled.options == {"user": "u", "top_k": 7}


def test_stop_sequences_may_be_a_list():
    filled = PromptSettings.model_validate({"stopSequences": ["x", "y"]}).fill(BASE, "openai")
    assert filled.stop == ("x", "y")


@pytest.mark.parametrize(
    ("field", "value"),
    [("temperature", 5.1), ("maxTokens", 0), ("topP", 1.1), ("topK", 501), ("responseFormat", "xml")],
)
def test_values_beyond_the_limits_are_refused(field, value):
    with pytest.raises(ValidationError):
        PromptSettings.model_validate({field: value})


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("gpt-4o", "gpt-4o"),
        ({"provider": "Anthropic", "modelId": "claude"}, "anthropic/claude"),
        ({"provider": "GoogleAI", "modelId": "gemini"}, "google/gemini"),
        ({"llm": "Groq", "modelId": "x"}, "groq/x"),
        ({"modelId": "x"}, "x"),
    ],
)
def test_a_model_as_an_object_has_a_name(value, name):
    assert model_name(value) == name


def test_a_list_is_split_at_commas_and_lines():
    assert split_list(" a, b\n\nc ,") == ["a", "b", "c"]


def test_every_setting_is_described_for_editors():
    schema = PromptSettings.model_json_schema()
    assert all(field.get("description") for field in schema["properties"].values())
    assert schema["properties"]["maxTokens"]
