"""Thinking, model by model: what is sent, and that a fake server which knows the rules of each takes it."""

import json
from typing import Any

import pytest

from sre_anthropic import AnthropicSettings
from sre_anthropic.request import build
from sre_anthropic.traits import Thinking, traits
from sre_anthropic.wire import wire
from sre_core.connectors.llm import LLMRequest, fold
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import Message, SkillSpec

SKILL = SkillSpec(name="add", description="Adds.", parameters={"type": "object", "properties": {}})
SUMMARIZED = {"type": "adaptive", "display": "summarized"}


def sent(model: str, thinking: bool | None, **changes: Any) -> dict[str, Any]:
    request = LLMRequest(messages=(Message.user("Hi"),), model=model, thinking=thinking, **changes)
    return json.loads(build(request, AnthropicSettings(), wire).data)


@pytest.mark.parametrize(
    ("model", "on", "off", "default"),
    [
        ("claude-fable-5-2", SUMMARIZED, {"type": "adaptive", "display": "omitted"}, None),
        ("claude-opus-5-5", SUMMARIZED, {"type": "adaptive", "display": "omitted"}, None),
        ("claude-sonnet-5-5", SUMMARIZED, {"type": "between_tools"}, None),
        ("claude-haiku-5-5", SUMMARIZED, {"type": "disabled"}, None),
        ("claude-opus-5", SUMMARIZED, {"type": "disabled"}, None),
        ("claude-opus-4-7", SUMMARIZED, {"type": "disabled"}, None),
        ("claude-opus-4-6", SUMMARIZED, {"type": "disabled"}, None),
        ("claude-opus-4-5", {"type": "enabled", "budget_tokens": 16_384}, {"type": "disabled"}, None),
        ("claude-of-the-future-9", {"type": "enabled", "budget_tokens": 4096}, {"type": "disabled"}, None),
        ("some-other-model", {"type": "enabled", "budget_tokens": 4096}, {"type": "disabled"}, None),
    ],
)
def test_each_model_is_told_in_its_own_way(model: str, on: Any, off: Any, default: Any):
    assert sent(model, True)["thinking"] == on
    assert sent(model, False).get("thinking") == off
    assert sent(model, None).get("thinking") == default


def test_a_model_that_cannot_stop_thinking_does_so_as_little_as_it_can():
    assert sent("claude-opus-5-5", False)["output_config"] == {"effort": "low"}
    assert sent("claude-opus-5-5", False, options={"effort": "max"})["output_config"] == {"effort": "max"}
    assert "output_config" not in sent("claude-opus-5-5", None)


def test_a_budget_makes_a_model_think_that_takes_one():
    for model in ("claude-opus-4-5", "claude-opus-4-6", "some-other-model"):
        found = sent(model, None, max_tokens=5000, options={"thinking_budget": 2000})["thinking"]
        assert found == {"type": "enabled", "budget_tokens": 2000}
    with pytest.raises(ConfigError, match="takes no thinking_budget"):
        sent("claude-opus-5-5", None, options={"thinking_budget": 2000})


def test_a_budget_leaves_room_for_the_answer():
    assert sent("claude-opus-4-5", True, max_tokens=2048)["thinking"]["budget_tokens"] == 1024
    with pytest.raises(ConfigError, match="leaves no room"):
        sent("claude-opus-4-5", True, max_tokens=1024)
    with pytest.raises(ConfigError, match="leaves no room"):
        sent("claude-opus-4-5", True, max_tokens=2000, options={"thinking_budget": 2000})


def test_what_is_shown_of_thoughts_can_be_said():
    shown = {"thinking_display": "omitted"}
    assert sent("claude-opus-5-5", True, options=shown)["thinking"] == {"type": "adaptive", "display": "omitted"}
    assert sent("claude-opus-4-5", True, options=shown)["thinking"]["display"] == "omitted"
    assert sent("claude-opus-5", None, options=shown)["thinking"] == {"type": "adaptive", "display": "omitted"}
    assert "thinking" not in sent("claude-opus-4-7", None, options=shown)


@pytest.mark.parametrize("model", ["claude-fable-5-2", "claude-opus-5-5", "claude-sonnet-5-5"])
def test_a_model_that_cannot_be_made_to_call_a_skill_says_so(model: str):
    # https://platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5#forced-tool-use-is-not-supported
    with pytest.raises(UnsupportedError, match="cannot be made to call a skill"):
        sent(model, None, skills=(SKILL,), skill_choice="required")


def test_a_forced_call_switches_thinking_off_unless_it_was_asked_for():
    made = sent("claude-opus-5", None, skills=(SKILL,), skill_choice="required")
    assert made["thinking"] == {"type": "disabled"}
    with pytest.raises(UnsupportedError, match="thinks"):
        sent("claude-opus-5", True, skills=(SKILL,), skill_choice="required")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("claude-opus-4-20250514", Thinking.BUDGET),
        ("claude-3-7-sonnet-20250219", Thinking.BUDGET),
        ("claude-sonnet-4-5-20250929", Thinking.BUDGET),
        ("anthropic/claude-opus-4.6", Thinking.ASKED),
        ("us.anthropic.claude-sonnet-4-6", Thinking.ASKED),
        ("claude-opus-4-8", Thinking.ASKED),
        ("claude-sonnet-5@20260630", Thinking.UNLESS),
        ("claude-sonnet-5-5", Thinking.BETWEEN),
        ("claude-mythos-5-1", Thinking.ALWAYS),
        ("claude-opus-7", Thinking.ALWAYS),
        ("deepseek-chat", Thinking.BUDGET),
    ],
)
def test_a_model_is_known_by_its_name_wherever_it_is_served(name: str, known: Thinking):
    assert traits(name).thinking is known


@pytest.mark.parametrize("thinking", [True, False, None])
@pytest.mark.parametrize(
    "model",
    [
        "claude-fable-5-2",
        "claude-opus-5-5",
        "claude-sonnet-5-5",
        "claude-haiku-5-5",
        "claude-opus-5",
        "claude-opus-4-7",
        "claude-opus-4-6",
        "claude-opus-4-5",
    ],
)
async def test_the_server_takes_it_over_a_whole_talk(connector, claude, model: str, thinking: bool | None):
    talk = [Message.system("Be brief.")]
    for prompt in ("call add {}", None, "redact this", "thanks"):
        talk += [Message.user(prompt)] if prompt else [Message.result(talk[-1].skill_calls[0], "3")]
        request = LLMRequest(messages=tuple(talk), model=model, thinking=thinking, skills=(SKILL,))
        completion = fold([chunk async for chunk in connector.stream(request)])
        assert bool(completion.thinking) == (thinking is True)
        talk.append(completion.message)
    assert claude.refusals == []
    assert claude.dropped == [0, 0, 0, 0]
    assert talk[-1].text == "thanks"
