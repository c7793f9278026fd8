"""The real small model: answers, skills, limits, cancellation."""

import asyncio
import json
import sys
from contextlib import aclosing

import pytest

from sre_core.connectors.llm import LLMRequest, fold
from sre_core.errors import ConfigError, ConnectorError, NotFoundError, UnavailableError, UnsupportedError
from sre_core.messages import FinishReason, Message, SkillSpec
from sre_smollm import SmolLM, SmolLMSettings

CAPITAL = Message.user("What is the capital of France?")
NOTE = SkillSpec(
    name="save_note",
    description="Save a note so that it can be read later.",
    parameters={
        "type": "object",
        "properties": {"title": {"type": "string"}, "text": {"type": "string"}},
        "required": ["title", "text"],
    },
)
WEATHER = SkillSpec(
    name="get_weather",
    description="Get the current weather of a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@pytest.fixture
async def model(smollm):
    await smollm.start()
    return smollm


async def _ask(model, /, *messages, **changes):
    async with aclosing(model.stream(LLMRequest(messages=messages, **changes))) as chunks:
        return fold([chunk async for chunk in chunks])


async def test_a_question_is_answered_from_real_weights(model):
    answer = await _ask(model, CAPITAL)
    assert "Paris" in answer.message.text
    assert answer.finish_reason is FinishReason.STOP
    assert answer.usage.input_tokens > 10
    assert 0 < answer.usage.output_tokens < 30


async def test_a_stop_sequence_cuts_the_answer(model):
    answer = await _ask(model, CAPITAL, stop=("Paris",))
    assert answer.message.text == "The capital of France is "
    assert answer.finish_reason is FinishReason.STOP


async def test_the_same_seed_gives_the_same_text_and_another_seed_another(model):
    story = Message.user("Write the first line of a story.")
    options = {"temperature": 1.5, "max_tokens": 16}
    first, again, other = [(await _ask(model, story, seed=seed, **options)).message.text for seed in (7, 7, 8)]
    assert first == again
    assert first != other


async def test_a_skill_is_called_with_what_the_user_said(model):
    answer = await _ask(model, Message.user("What's the weather in Oslo right now?"), skills=(NOTE, WEATHER))
    (call,) = answer.message.skill_calls
    assert (call.name, json.loads(call.arguments)["city"]) == ("get_weather", "Oslo")
    assert answer.finish_reason is FinishReason.SKILL_CALLS


async def test_a_question_that_needs_no_skill_is_answered_in_text(model):
    answer = await _ask(model, CAPITAL, skills=(NOTE, WEATHER))
    assert answer.message.skill_calls == ()
    assert "Paris" in answer.message.text


async def test_the_result_of_a_skill_becomes_an_answer_and_no_second_call(model):
    question = Message.user("What's the weather in Oslo right now?")
    called = (await _ask(model, question, skills=(WEATHER,), skill_choice="required")).message
    result = Message.result(called.skill_calls[0], "rain, 4 degrees")
    answer = await _ask(model, question, called, result, skills=(WEATHER,))
    assert answer.message.skill_calls == ()
    assert "rain" in answer.message.text


async def test_a_call_that_does_not_fit_is_not_made(model):
    wish = Message.user("Save a note: buy milk and eggs tomorrow")
    answer = await _ask(model, wish, skills=(NOTE,), skill_choice="required", max_tokens=10)
    assert answer.message.skill_calls == ()
    assert answer.finish_reason is FinishReason.LENGTH
    assert answer.usage.output_tokens <= 10


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "number"},
        {"type": "array", "items": {"type": "integer"}},
        {"type": "string", "enum": ["red", "green"]},
        {"type": "object", "properties": {"at": {"$ref": "#/$defs/P"}}, "$defs": {"P": {"type": "string"}}},
        {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
    ],
)
async def test_a_required_call_always_fits_its_schema(model, schema):
    definitions = schema.pop("$defs", {})
    parameters = {"type": "object", "properties": {"value": schema}, "required": ["value"], "$defs": definitions}
    skill = SkillSpec(name="store", description="Store a value.", parameters=parameters)
    answer = await _ask(
        model, Message.user("Store 3.14159 and more"), skills=(skill,), skill_choice="required", max_tokens=300
    )
    (call,) = answer.message.skill_calls
    assert set(json.loads(call.arguments)) == {"value"}


async def test_closing_a_stream_stops_the_model_and_lets_the_next_one_in(model):
    request = LLMRequest(messages=(Message.user("Write a very long story about the sea."),), max_tokens=2000)
    async with asyncio.timeout(120):
        async with aclosing(model.stream(request)) as chunks:
            await anext(chunks)
        waiting = asyncio.create_task(_ask(model, CAPITAL))
        assert "Paris" in (await waiting).message.text


async def test_a_prompt_that_is_too_long_says_by_how_much(tiny_folder):
    small = SmolLM(SmolLMSettings(weights=tiny_folder, context_tokens=64))
    await small.start()
    with pytest.raises(ConnectorError, match=r"the prompt has \d+ tokens, the model's context 64"):
        await _ask(small, Message.user("word " * 100))
    await small.stop()


async def test_what_it_cannot_do_is_refused(model):
    with pytest.raises(ConfigError, match="no option 'beams'"):
        await _ask(model, CAPITAL, options={"beams": 2})
    with pytest.raises(NotFoundError, match="serves 'smollm2-135m', not 'gpt'"):
        await _ask(model, CAPITAL, model="gpt")
    with pytest.raises(UnsupportedError):
        await _ask(model, CAPITAL, thinking=True)


async def test_a_stopped_connector_says_so():
    with pytest.raises(UnavailableError):
        await _ask(SmolLM(SmolLMSettings()), CAPITAL)


async def test_importing_the_plugin_loads_nothing_heavy():
    code = (
        "import sys, sre_smollm; print([m for m in ('torch','transformers','numpy','llguidance') if m in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert output.strip() == b"[]"
