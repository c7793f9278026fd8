"""What GenAILLM's settings become in a request."""

import pytest
from pydantic import ValidationError

from sre_core.components.llm.gen_ai_settings import GenAISettings
from sre_core.connectors.llm import LLMRequest


def settings(**data):
    return GenAISettings.model_validate({"prompt": "p", **data})


def test_what_an_editor_leaves_neutral_adds_nothing():
    data = {"temperature": "", "topK": "0", "frequencyPenalty": "0", "verbosity": "", "fromDate": "", "rssLinks": ""}
    assert settings(**data).options("openai") == {}


def test_a_search_of_the_web_is_a_tool_of_the_provider():
    data = {"webSearchContextSize": "high", "webSearchCity": "Graz", "webSearchCountry": "AT"}
    found = settings(useWebSearch="true", **data).options("openai")
    assert found == {
        "hosted_tools": [
            {
                "type": "web_search",
                "search_context_size": "high",
                "user_location": {"type": "approximate", "city": "Graz", "country": "AT"},
            }
        ]
    }
    assert settings(useWebSearch=False, **data).options("openai") == {}


def test_a_search_of_xai_is_two_tools():
    found = settings(
        useSearch=True,
        searchMode="auto",
        searchDataSources=["web", "x"],
        allowedWebsites="a.example, b.example",
        includedXHandles="ann\nbob",
        fromDate="2026-01-31",
        returnCitations=True,
    ).options("openai")
    assert found == {
        "hosted_tools": [
            {"type": "web_search", "filters": {"allowed_domains": ["a.example", "b.example"]}},
            {"type": "x_search", "allowed_x_handles": ["ann", "bob"], "from_date": "2026-01-31"},
        ]
    }


@pytest.mark.parametrize(("sources", "types"), [("x", ["x_search"]), ("news, rss", ["web_search"])])
def test_xai_searches_where_it_is_told(sources, types):
    found = settings(useSearch=True, searchDataSources=sources).options("openai")
    assert [tool["type"] for tool in found["hosted_tools"]] == types


def test_a_search_that_is_off_is_none():
    assert settings(useSearch=True, searchMode="off").options("openai") == {}


def test_the_effort_has_another_name_at_google():
    found = settings(useReasoning=True, reasoningEffort="low")
    assert found.options("google") == {"thinking_level": "low"}
    assert found.options("anthropic") == {"effort": "low"}


def test_no_effort_is_no_thinking():
    base = LLMRequest(messages=())
    assert settings(useReasoning=True, reasoningEffort="none").fill(base, "openai").thinking is False
    assert settings(useReasoning=True, reasoningEffort="default").fill(base, "openai").thinking is True
    assert settings().fill(base, "openai").thinking is None


@pytest.mark.parametrize(
    "data", [{"fromDate": "yesterday"}, {"verbosity": "huge"}, {"maxContextWindowLength": -1}, {"temperature": "6"}]
)
def test_values_beyond_the_limits_are_refused(data):
    with pytest.raises(ValidationError):
        settings(**data)
