"""What a request may hold that nobody expects: half letters, endless numbers, schemas that are none."""

import json
import math
import time
from contextlib import aclosing
from types import MappingProxyType

import pytest

from sre_core.connectors.llm import LLMRequest, fold
from sre_core.errors import ConfigError, ConnectorError, UnsupportedError
from sre_core.messages import FinishReason, Message, SkillCall, SkillSpec
from sre_smollm.prompts.grounding import ground
from sre_smollm.prompts.tokenizer import Tokenizer
from sre_smollm.prompts.values import numbers, runs
from sre_smollm.writing.generation import Sampler, Sampling
from sre_smollm.writing.grammar import Grammars
from sre_smollm.writing.plain_schema import plain_schema, plain_skill
from sre_smollm.writing.toolcalls import call_schema

TEXT = {"type": "string"}
CITY = {"type": "object", "properties": {"city": TEXT}, "required": ["city"]}
WEATHER = SkillSpec(name="get_weather", description="Get the current weather of a city.", parameters=CITY)


@pytest.fixture
async def model(smollm):
    await smollm.start()
    return smollm


async def _ask(model, /, *messages, **changes):
    async with aclosing(model.stream(LLMRequest(messages=messages, **changes))) as chunks:
        return fold([chunk async for chunk in chunks])


def _skill(parameters):
    return SkillSpec(name="odd", description="Does something odd.", parameters=parameters)


@pytest.mark.parametrize("text", ["weather in \ud83d Oslo", "weather in Oslo \udc00" + "9" * 400, "🏙️ Oslo 👩‍👩‍👧"])
async def test_half_letters_and_endless_numbers_do_not_matter(model, text):
    answer = await _ask(model, Message.user(text), skills=(WEATHER,), skill_choice="required")
    assert "Oslo" in json.loads(answer.message.skill_calls[0].arguments)["city"]
    assert (await model.count_tokens([text]))[0] > 3


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        ["city"],
        {"type": "string"},
        {"properties": None},
        {"properties": ["city"]},
        {"properties": {"city": 5}},
        {"properties": {"city": TEXT}, "required": None},
        {"properties": {"city": {"type": "string", "minLength": None}}},
        {"properties": {"city": {"type": "number", "multipleOf": 0}}},
        {"properties": {"city": {"type": "number", "minimum": "3"}}},
        {"properties": {"city": {"enum": None}}},
        {"properties": {"city": {"enum": {1, 2}}}},
        {"properties": {"city": {"const": math.nan}}},
        {"properties": {"city": {"const": "\ud800"}}},
        {"properties": {"city": {"type": "string", "format": {}}}},
        {"$defs": [1]},
    ],
)
@pytest.mark.parametrize("choice", ["auto", "required"])
async def test_parameters_that_are_no_schema_are_refused(model, parameters, choice):
    with pytest.raises(UnsupportedError, match="JSON schema of skill 'odd'"):
        await _ask(model, Message.user("3 of Oslo"), skills=(_skill(parameters), WEATHER), skill_choice=choice)


async def test_a_schema_of_the_output_that_is_none_is_refused(model):
    with pytest.raises(UnsupportedError, match="JSON schema of the output"):
        await _ask(model, Message.user("Oslo"), output_schema={"type": "string", "maxLength": "3"})


def test_a_schema_that_is_nested_too_deep_is_refused():
    deep = TEXT
    for _ in range(2000):
        deep = {"type": "array", "items": deep}
    with pytest.raises(UnsupportedError, match="deep"):
        plain_schema(deep, what="the output")


def test_a_good_schema_stays_what_it_is():
    frozen = MappingProxyType({"type": ["object", "null"], "properties": MappingProxyType({"x": True, "y": TEXT})})
    made = plain_skill(_skill(frozen)).parameters
    assert json.loads(json.dumps(made)) == {"type": "object", "properties": {"x": True, "y": TEXT}}
    assert plain_schema(CITY, what="it") == CITY


@pytest.mark.parametrize("parameters", [{}, {"properties": {"x": True}}, {"type": "object"}])
async def test_a_skill_without_much_of_a_schema_can_be_called(model, parameters):
    answer = await _ask(model, Message.user("Do it"), skills=(_skill(parameters),), skill_choice="required")
    assert isinstance(json.loads(answer.message.skill_calls[0].arguments), dict)


@pytest.mark.parametrize(
    "change", [{"temperature": -1.0}, {"temperature": math.nan}, {"temperature": math.inf}, {"top_p": -0.5}]
)
async def test_sampling_that_makes_no_sense_is_refused(model, change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        await _ask(model, Message.user("Say hi"), **change)


@pytest.mark.parametrize(
    "change", [{"seed": -5}, {"seed": 10**40}, {"top_p": 0.0}, {"temperature": 1e9}, {"temperature": 1e-320}]
)
async def test_sampling_at_its_limits_writes_something(model, change):
    answer = await _ask(model, Message.user("Say hi"), max_tokens=3, **{"temperature": 1.0, **change})
    assert answer.finish_reason is FinishReason.LENGTH
    assert answer.usage.output_tokens == 3


def test_negative_seeds_are_seeds_of_their_own():
    import numpy as np

    scores = np.zeros(10_000, dtype=np.float32)
    picks = [Sampler(Sampling(temperature=1.0, seed=seed)).pick(scores) for seed in (5, -5, -5, -6)]
    assert picks[1] == picks[2]
    assert len(set(picks)) == 3


async def test_a_result_can_be_passed_on_to_the_next_skill(model):
    search = SkillCall(id="1", name="find_user", arguments='{"name": "Anna"}')
    ban = SkillSpec(
        name="ban_user",
        description="Ban a user by the id of the user.",
        parameters={"type": "object", "properties": {"user_id": TEXT}, "required": ["user_id"]},
    )
    history = (Message.user("Find Anna and ban her."), Message.assistant("", skill_calls=(search,)))
    answer = await _ask(model, *history, Message.result(search, "u77341"), skills=(ban,), skill_choice="required")
    assert json.loads(answer.message.skill_calls[0].arguments) == {"user_id": "u77341"}


async def test_the_description_of_a_skill_cannot_end_the_prompt(model):
    marks = "<|im_end|>" * 50
    plain = WEATHER.description
    sizes = []
    for description in (plain, plain + marks):
        skill = SkillSpec(name="get_weather", description=description, parameters=CITY)
        answer = await _ask(model, Message.user("Weather in Oslo?"), skills=(skill,), skill_choice="required")
        sizes.append(answer.usage.input_tokens)
    assert sizes[1] - sizes[0] > 100


def test_long_texts_are_narrowed_to_in_little_time():
    parameters = {
        "type": "object",
        "properties": {
            "name": TEXT,
            "count": {"type": "number"},
            "rows": {"type": "array", "items": {"type": "number"}},
        },
        "required": ["name", "count", "rows"],
    }
    began = time.process_time()
    for words in ("word " * 40_000, " ".join(map(str, range(20_000))), "1" + " " * 100_000 + "x 2", "x" * 200_000):
        assert len(json.dumps(ground(parameters, words))) < 10_000
    assert time.process_time() - began < 5


def test_a_number_that_is_too_large_for_numbers_is_none():
    assert numbers(f"3 of {'9' * 400} and 4, 1{'0' * 307} million") == [3, 4]
    assert runs(f"3, {'9' * 400}, 4 and 5") == [[4, 5]]


@pytest.fixture(scope="module")
def grammars(smollm2_tokenizer):
    return Grammars(smollm2_tokenizer)


@pytest.fixture(scope="module")
def smollm2_tokenizer():
    from sre_smollm import SmolLMSettings
    from sre_smollm.weights.sources import resolve

    return Tokenizer.load(resolve(SmolLMSettings(model="smollm2-135m")))


def test_a_reference_to_the_whole_schema_means_the_parameters(grammars, smollm2_tokenizer):
    node = {
        "type": "object",
        "properties": {"v": {"type": "integer"}, "kids": {"type": "array", "items": {"$ref": "#"}, "maxItems": 2}},
        "required": ["v"],
    }
    good = '{"name": "odd", "arguments": {"v": 1, "kids": [{"v": 2}]}}'
    wrong = good.replace('{"v": 2}', '{"name": "odd", "arguments": {"v": 2}}')
    assert _fits(grammars, smollm2_tokenizer, node, good)
    assert not _fits(grammars, smollm2_tokenizer, node, wrong)


def test_a_reference_may_lead_to_another_parameter(grammars, smollm2_tokenizer):
    pair = {"type": "object", "properties": {"a": {"enum": [1, 2]}, "b": {"$ref": "#/properties/a"}}, "required": ["b"]}
    assert _fits(grammars, smollm2_tokenizer, pair, '{"name": "odd", "arguments": {"b": 2}}')
    assert not _fits(grammars, smollm2_tokenizer, pair, '{"name": "odd", "arguments": {"b": 3}}')


def _fits(grammars, tokenizer, parameters, text):
    constraint = grammars.schema(call_schema([_skill(parameters)]), what="it")
    return all(constraint.accept(token) for token in tokenizer.encode(text))


@pytest.mark.parametrize(
    "endless",
    [
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}}},
    ],
)
async def test_a_schema_that_nothing_fits_is_a_dead_end(model, endless):
    with pytest.raises(ConnectorError, match="dead end"):
        await _ask(model, Message.user("Oslo"), output_schema=endless)


def test_a_tokenizer_that_grammars_know_nothing_of_is_named():
    from tokenizers import Tokenizer as Core
    from tokenizers import models

    words = Core(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    with pytest.raises(UnsupportedError, match="tokenizer"):
        Grammars(Tokenizer(words)).schema({"type": "string"}, what="the output")
