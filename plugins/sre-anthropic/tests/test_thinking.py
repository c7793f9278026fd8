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
from sre_core.messages import Message, ProviderState, SkillCall, SkillSpec

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
        ("claude-of-the-future-9", SUMMARIZED, {"type": "adaptive", "display": "omitted"}, None),
        ("claude-3-7-sonnet-latest", {"type": "enabled", "budget_tokens": 4096}, {"type": "disabled"}, None),
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


@pytest.mark.parametrize("model", ["claude-opus-5", "claude-haiku-5-5", "claude-opus-4-7"])
@pytest.mark.parametrize("thinking", [True, None])
async def test_a_model_that_finds_out_how_much_to_think_can_be_made_to_call_a_skill(
    connector, claude, model: str, thinking: bool | None
):
    # https://platform.claude.com/docs/en/build-with-claude/thinking#thinking-with-tool-use
    changes = {"skills": (SKILL,), "skill_choice": "required", "model": model, "thinking": thinking}
    completion = fold(
        [chunk async for chunk in connector.stream(LLMRequest(messages=(Message.user("Go"),), **changes))]
    )
    assert [call.name for call in completion.message.skill_calls] == ["add"]
    assert claude.bodies[0].get("thinking") == (SUMMARIZED if thinking else None)


def test_a_model_that_thinks_by_a_budget_cannot_be_made_to_call_a_skill():
    with pytest.raises(UnsupportedError, match="by a budget"):
        sent("claude-opus-4-5", True, skills=(SKILL,), skill_choice="required")
    for model in ("claude-opus-4-5", "claude-fable-5"):
        assert sent(model, None, skills=(SKILL,), skill_choice="required")["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize("effort", ["xhigh", "max"])
def test_who_must_think_to_try_hard_is_not_told_not_to(effort: str):
    # https://platform.claude.com/docs/en/build-with-claude/thinking#turning-thinking-off
    for model in ("claude-opus-5", "claude-haiku-5-5", "claude-sonnet-5-5"):
        with pytest.raises(ConfigError, match="has to think"):
            sent(model, False, options={"effort": effort})
        assert sent(model, True, options={"effort": effort})["output_config"] == {"effort": effort}
    for model in ("claude-sonnet-5", "claude-opus-4-7"):
        assert sent(model, False, options={"effort": effort})["thinking"] == {"type": "disabled"}


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
        ("anthropic/Claude-Sonnet-5.5", Thinking.BETWEEN),
        ("anthropic/claude-opus-latest", Thinking.ALWAYS),
        ("claude-mythos-preview", Thinking.ALWAYS),
        ("claude-instant-1.2", Thinking.BUDGET),
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
        silent = model == "claude-opus-4-5" and not prompt
        assert bool(completion.thinking) == (thinking is True and not silent)
        talk.append(completion.message)
    assert claude.refusals == []
    assert claude.dropped == [0, 0, 0, 0]
    assert talk[-1].text == "thanks"


def test_a_model_that_thought_where_its_answer_began_goes_on_thinking():
    # https://platform.claude.com/docs/en/build-with-claude/thinking#thinking-with-tool-use
    calls = [SkillCall(id=f"toolu_{number}", name="add", arguments="{}") for number in (1, 2)]
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}
    state = ProviderState(connector="anthropic", data=json.dumps({"blocks": [thought, {"call": True}]}))
    begun = Message.user("Go"), Message.assistant(skill_calls=(calls[0],), state=state), Message.result(calls[0], "1")
    gone_on = *begun, Message.assistant(skill_calls=(calls[1],)), Message.result(calls[1], "2")
    for talk in (begun, gone_on):
        request = LLMRequest(messages=talk, model="claude-opus-4-5", thinking=True, skills=(SKILL,))
        made = json.loads(build(request, AnthropicSettings(), wire).data)
        assert made["thinking"]["type"] == "enabled"
        assert made["messages"][1]["content"][0] == thought
    foreign = Message.user("Go"), Message.assistant(skill_calls=(calls[0],)), Message.result(calls[0], "1")
    request = LLMRequest(messages=foreign, model="claude-opus-4-5", thinking=True, skills=(SKILL,))
    assert json.loads(build(request, AnthropicSettings(), wire).data)["thinking"] == {"type": "disabled"}


async def test_a_history_that_was_cut_does_no_harm_to_a_model_that_thinks_between_calls(connector, claude):
    # https://platform.claude.com/docs/en/models/sonnet-5-5/migration-guide#turn-off-up-front-thinking
    talk = [Message.system("Be brief.")]
    for prompt in ("one", "call add {}", None, "call add {}", None):
        talk += [Message.user(prompt)] if prompt else [Message.result(talk[-1].skill_calls[0], "3")]
        request = LLMRequest(messages=tuple(talk), model="claude-sonnet-5-5", thinking=False, skills=(SKILL,))
        talk.append(fold([chunk async for chunk in connector.stream(request)]).message)
    assert any(message.state for message in talk)
    cut = (talk[0], *talk[3:], Message.user("thanks"))
    request = LLMRequest(messages=cut, model="claude-sonnet-5-5", thinking=False, skills=(SKILL,))
    assert fold([chunk async for chunk in connector.stream(request)]).message.text == "thanks"
    assert claude.refusals == []
