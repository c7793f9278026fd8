"""EchoLLM keeps the rules of a language model, and its own conventions."""

import json
import math

import pytest

from sre_core.builtin.echo_llm import EMBEDDING_LENGTH, EchoLLM
from sre_core.connectors.base import Settings
from sre_core.connectors.llm import LLMRequest, fold
from sre_core.errors import ConfigError, UnsupportedError
from sre_core.messages import File, FinishReason, Message, SkillCall, SkillSpec, Usage
from sre_core.testing.conformance.llm import LLMConformance

ADD = SkillSpec(
    name="add",
    description="Add two numbers.",
    parameters={
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
)


class TestEchoLLM(LLMConformance):
    def make(self):
        return EchoLLM(Settings())

    def fits(self, prompt, answer):
        return answer == prompt


async def chunks_of(prompt, **changes):
    messages = (prompt,) if isinstance(prompt, Message) else prompt
    messages = (Message.user(prompt),) if isinstance(prompt, str) else messages
    return [chunk async for chunk in EchoLLM(Settings()).stream(LLMRequest(messages=messages, **changes))]


async def answer_to(prompt, **changes):
    return fold(await chunks_of(prompt, **changes))


@pytest.mark.parametrize("prompt", ["one two  three", " padded\n text \n", "word", "   ", "", "ü 世界", " " * 500_000])
async def test_it_repeats_the_prompt_exactly_one_word_at_a_time(prompt):
    chunks = await chunks_of(prompt)
    assert "".join(chunk.text for chunk in chunks) == prompt
    assert len(chunks) == max(len(prompt.split()), bool(prompt)) + 1


async def test_it_repeats_the_last_message_of_the_user():
    said = (Message.system("s"), Message.user("first"), Message.assistant("first"), Message.user("second"))
    assert (await answer_to(said)).message.text == "second"


async def test_tokens_are_words():
    answer = await answer_to((Message.system("be brief"), Message.user("one two three")))
    assert answer.usage == Usage(input_tokens=5, output_tokens=3)


async def test_max_tokens_cuts_after_so_many_words():
    answer = await answer_to("one two three", max_tokens=2)
    assert (answer.message.text, answer.finish_reason) == ("one two", FinishReason.LENGTH)
    whole = await answer_to("one two three", max_tokens=3)
    assert whole.finish_reason is FinishReason.STOP


async def test_the_first_stop_sequence_ends_the_text():
    answer = await answer_to("one two three", stop=("three", "wo", ""))
    assert (answer.message.text, answer.finish_reason) == ("one t", FinishReason.STOP)


async def test_a_skill_named_in_the_prompt_is_called():
    answer = await answer_to('please call add {"a": 1, "b": {"c": "}"}} now', skills=(ADD,))
    assert answer.message.skill_calls == (SkillCall(id="call_0", name="add", arguments='{"a": 1, "b": {"c": "}"}}'),)
    assert answer.finish_reason is FinishReason.SKILL_CALLS
    assert answer.message.text == ""


async def test_several_calls_in_one_prompt_are_several_calls():
    answer = await answer_to('call add {"a": 1, "b": 2} and call add {"a": 3, "b": 4} and call off', skills=(ADD,))
    assert [call.arguments for call in answer.message.skill_calls] == ['{"a": 1, "b": 2}', '{"a": 3, "b": 4}']
    assert [call.id for call in answer.message.skill_calls] == ["call_0", "call_1"]


async def test_calls_of_different_turns_have_different_ids():
    first = (await answer_to("call add", skills=(ADD,))).message
    said = (Message.user("call add"), first, Message.result(first.skill_calls[0], "3"), Message.user("call add"))
    second = (await answer_to(said, skills=(ADD,))).message
    assert first.skill_calls[0].id != second.skill_calls[0].id


@pytest.mark.parametrize(
    ("prompt", "arguments"), [("call add", "{}"), ("call add please", "{}"), ('call add {"a": 1\nok', '{"a": 1')]
)
async def test_missing_arguments_are_empty_and_broken_ones_stay_broken(prompt, arguments):
    answer = await answer_to(prompt, skills=(ADD,))
    assert [call.arguments for call in answer.message.skill_calls] == [arguments]


async def test_a_skill_that_is_not_offered_is_not_called():
    prompt = 'call subtract {"a": 1}'
    assert (await answer_to(prompt, skills=(ADD,))).message == Message.assistant(prompt)
    assert (await answer_to('call add {"a": 1}')).message.skill_calls == ()


async def test_after_the_skills_it_answers_with_their_results():
    asked = Message.user("call add and call add")
    called = (await answer_to((asked,), skills=(ADD,))).message
    results = [Message.result(call, text) for call, text in zip(called.skill_calls, ("3", "7"), strict=True)]
    assert (await answer_to((asked, called, *results), skills=(ADD,))).message.text == "3\n7"


async def test_a_required_call_has_the_smallest_arguments_that_fit():
    answer = await answer_to("hello", skills=(ADD,), skill_choice="required")
    assert [(call.name, json.loads(call.arguments)) for call in answer.message.skill_calls] == [
        ("add", {"a": 0, "b": 0})
    ]


async def test_with_a_schema_it_answers_with_the_first_object_of_the_prompt():
    answer = await answer_to('Here { is }: {"x": [1, 2]} and {"y": 1}', output_schema={"type": "object"})
    assert answer.message.text == '{"x": [1, 2]}'


async def test_with_a_schema_and_no_object_it_answers_with_the_smallest_value():
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    assert json.loads((await answer_to("Ada", output_schema=schema)).message.text) == {"name": "Ada"}


async def test_files_are_refused_not_passed_over():
    message = Message.user("read", files=(File(name="a.txt", media_type="text/plain", data=b"a"),))
    with pytest.raises(UnsupportedError, match="documents"):
        await chunks_of(message)


@pytest.mark.parametrize("max_tokens", [0, -1])
async def test_max_tokens_below_one_is_refused(max_tokens):
    with pytest.raises(ConfigError):
        await chunks_of("hello", max_tokens=max_tokens)


async def test_texts_that_share_words_have_near_embeddings():
    echo = EchoLLM(Settings())
    cat, cats, fee, nothing = await echo.embed(["the black cat sleeps", "a black cat", "tax return form", "..."])
    near, far = dot(cat, cats), dot(cat, fee)
    assert near > 0.4 > far
    assert len(cat) == EMBEDDING_LENGTH
    assert math.hypot(*cat) == pytest.approx(1)
    assert nothing == [0.0] * EMBEDDING_LENGTH


def dot(left, right):
    return sum(a * b for a, b in zip(left, right, strict=True))
