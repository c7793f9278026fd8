"""A tiny SmolLM3 that says what a script tells it: thinking, calls, and what is cut."""

import json
from functools import partial

import pytest

from sre_core.connectors.llm import LLMRequest, fold
from sre_core.messages import FinishReason, Message, SkillSpec
from sre_smollm.writing.reply import Plan, reply

ADD = SkillSpec(
    name="add",
    description="Add numbers.",
    parameters={
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
)
ASK = (Message.user("2 + 3?"),)


@pytest.fixture
def said(tiny_tools, tiny_network, scripted, play):
    def said(text, *, thinking=False, max_tokens=300, **changes):
        request = LLMRequest(messages=ASK, **changes)
        prompt = tiny_tools.template.prompt(ASK, skills=request.skills, thinking=thinking)
        plan = Plan(request=request, max_tokens=max_tokens, thinking=thinking)
        ids = [*tiny_tools.template.tokens(text), min(tiny_tools.ends)]
        network = scripted(tiny_network, prompt=len(prompt.ids), ids=ids)
        (chunks,) = play(network, partial(reply, tiny_tools, plan))
        return fold(chunks)

    return said


def test_thinking_is_told_apart_from_text(said):
    answer = said("<think>\n2 and 3 are 5.\n</think>\nIt is 5 €.", thinking=True)
    assert answer.thinking == "\n2 and 3 are 5.\n"
    assert answer.message.text == "It is 5 €."
    assert 0 < answer.usage.reasoning_tokens < answer.usage.output_tokens
    assert answer.finish_reason is FinishReason.STOP


def test_a_call_after_its_tag_is_a_skill_call(said):
    text = 'Let me see. <tool_call>\n{"name": "add", "arguments": {"a": 2, "b": 3}}\n</tool_call>'
    answer = said(text, skills=(ADD,))
    (call,) = answer.message.skill_calls
    assert (call.name, json.loads(call.arguments)) == ("add", {"a": 2, "b": 3})
    assert answer.message.text == "Let me see. "
    assert answer.finish_reason is FinishReason.SKILL_CALLS


def test_several_calls_keep_their_order_and_a_repeated_one_ends_the_reply(said):
    form = '<tool_call>\n{"name": "add", "arguments": {"a": NUMBER, "b": 1}}\n</tool_call>'
    one, two = (form.replace("NUMBER", number) for number in "12")
    answer = said(f"{one}\n{two}\n{two}", skills=(ADD,))
    assert [json.loads(call.arguments)["a"] for call in answer.message.skill_calls] == [1, 2]
    assert len({call.id for call in answer.message.skill_calls}) == 2


def test_without_skills_the_tag_is_text(said):
    assert said("<tool_call> is a tag").message.text == "<tool_call> is a tag"


def test_a_call_that_is_cut_is_no_call(said):
    text = '<tool_call>\n{"name": "add", "arguments": {"a": 2, "b": 3}}\n</tool_call>'
    answer = said(text, skills=(ADD,), max_tokens=20)
    assert answer.message.skill_calls == ()
    assert answer.finish_reason is FinishReason.LENGTH


def test_a_required_call_fits_even_from_random_weights(tiny_tools, tiny_network, play):
    request = LLMRequest(messages=ASK, skills=(ADD,), skill_choice="required", temperature=1.0, seed=1)
    plan = Plan(request=request, max_tokens=300, thinking=False)
    (chunks,) = play(tiny_network, partial(reply, tiny_tools, plan))
    (call,) = fold(chunks).message.skill_calls
    assert set(json.loads(call.arguments)) == {"a", "b"}


def test_a_stop_sequence_does_not_show(said):
    assert said("one two three", stop=("two",)).message.text == "one "


def test_a_stop_sequence_inside_thinking_is_thinking(said):
    answer = said("<think>two</think>one two", thinking=True, stop=("two",))
    assert (answer.thinking, answer.message.text) == ("two", "one ")
