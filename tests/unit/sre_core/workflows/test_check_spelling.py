"""Settings that are likely misspelt are found; what editors write of their own is left alone."""

import pytest

from sre_core.plugins import Plugins
from sre_core.workflows.check import check_text
from tests.unit.sre_core.workflows.smyth_files import agent, component, endpoint, link, text


def said(type_="PromptGenerator", **data):
    made = component("S", type_, outputs=[{"name": "Reply", "default": True}], data=data)
    content = text(agent(endpoint(), made, links=[link("E", "S")]))
    return [f"{one.severity} {one}" for one in check_text(content, Plugins.load(only=[]).component)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("temprature", "temperature"),
        ("Temperature", "temperature"),
        ("maxTokns", "maxTokens"),
        ("max_token", "maxTokens"),
        ("modle", "model"),
    ],
)
def test_a_setting_that_is_like_a_missing_one_is_a_warning(written, meant):
    assert said(prompt="Hi", **{written: 1}) == [
        (
            f"warning components[1].data.{written}: the type 'PromptGenerator' has no setting {written!r}"
            f" (in 'The S', S); did you mean {meant!r}?"
        )
    ]


def test_what_is_misspelt_and_needed_is_told_as_both():
    assert [problem.split(":")[0] for problem in said(promt="Hi")] == [
        "error components[1].data.prompt",
        "warning components[1].data.promt",
    ]


@pytest.mark.parametrize(
    "data",
    [
        {"temperature": 1, "temprature": 1},
        {"max_tokens": 5},
        {"temprature": ""},
        {"temprature": None},
        {"_temperature": 1},
        {"anything": 1, "postprocess": True, "x": 1},
    ],
)
def test_other_keys_are_no_problem(data):
    assert said(prompt="Hi", **data) == []


def test_what_editors_write_beside_a_longer_name_is_no_problem():
    assert said("GenAILLM", prompt="Hi", searchCountry="DE", safeSearch=True) == []


def test_notes_may_have_any_settings():
    assert said("Note", descripton="Hi", colr="red") == []
