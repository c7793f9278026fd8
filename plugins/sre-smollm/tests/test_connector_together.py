"""The connector for many at once: shared prompts, several models, embeddings, and what it tells of its speed."""

import asyncio
from contextlib import aclosing

import pytest

from sre_core.connectors.llm import LLMRequest, fold
from sre_core.errors import NotFoundError, RateLimitedError
from sre_core.events import ModelTimed, current_emit
from sre_core.messages import Message
from sre_smollm import SmolLM, SmolLMSettings

GUIDE = Message.system("You are a guide who knows every city of the world, and answers in one short sentence. " * 4)
CITIES = ("Paris", "Tokyo", "Lima", "Nairobi", "Delhi", "Oslo", "Toronto", "Rome")


@pytest.fixture
async def model(smollm):
    await smollm.start()
    return smollm


async def _ask(model, /, *messages, **changes):
    async with aclosing(model.stream(LLMRequest(messages=messages, **changes))) as chunks:
        return fold([chunk async for chunk in chunks])


async def test_requests_at_once_get_what_each_gets_alone(model):
    questions = [(GUIDE, Message.user(f"What is {city} known for?")) for city in CITIES]
    alone = [(await _ask(model, *question, max_tokens=12)).message.text for question in questions]
    together = await asyncio.gather(*(_ask(model, *question, max_tokens=12) for question in questions))
    assert [answer.message.text for answer in together] == alone
    assert len(set(alone)) > 4


async def test_what_prompts_have_in_common_is_read_once(model):
    first = await _ask(model, GUIDE, Message.user("Where is the town of Bergen?"), max_tokens=4)
    second = await _ask(model, GUIDE, Message.user("Where is the city of Cusco?"), max_tokens=4)
    common = first.usage.input_tokens - 16
    assert second.usage.cached_tokens >= common > 50


async def test_two_models_at_once_do_not_mix(model, tiny_folder):
    other = SmolLM(SmolLMSettings(weights=tiny_folder, engine="transformers", cache_bytes=0))
    await other.start()
    question = Message.user("What is the capital of France?")
    nonsense = (await _ask(other, question, max_tokens=8)).message.text
    answers = await asyncio.gather(
        *(_ask(one, question, max_tokens=8) for _ in range(3) for one in (model, other)),
    )
    assert all("Paris" in answer.message.text for answer in answers[::2])
    assert {answer.message.text for answer in answers[1::2]} == {nonsense}
    await other.stop()


async def test_both_networks_write_the_same(model):
    reference = SmolLM(SmolLMSettings(engine="transformers", dtype="float32", max_tokens=24, threads=1))
    await reference.start()
    for question in ("What is the capital of France?", "Name three colours."):
        texts = [(await _ask(one, Message.user(question), max_tokens=24)).message.text for one in (model, reference)]
        assert texts[0] == texts[1]
    await reference.stop()


async def test_a_queue_that_is_full_refuses_the_next_request(tiny_folder):
    small = SmolLM(SmolLMSettings(weights=tiny_folder, engine="transformers", batch=1, queue=1))
    await small.start()
    requests = [_ask(small, Message.user(f"Say {number}"), max_tokens=200) for number in range(6)]
    answers = await asyncio.gather(*requests, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, RateLimitedError)]
    assert 0 < len(refused) < 6
    assert "batch" in refused[0].hint or "queue" in refused[0].hint
    await small.stop()


async def test_vectors_of_texts_come_from_minilm(model):
    cat, kitten, tax = await model.embed(["A cat sleeps.", "A kitten naps.", "The tax is due in May."])
    assert len(cat) == 384
    near, far = (sum(a * b for a, b in zip(cat, other, strict=True)) for other in (kitten, tax))
    assert near > far + 0.3
    with pytest.raises(NotFoundError, match="embeds with 'minilm', not 'ada'"):
        await model.embed(["x"], model="ada")


async def test_those_who_listen_hear_how_fast_it_was(model):
    heard = []

    async def emit(event):
        heard.append(event)

    token = current_emit.set(emit)
    answer = await _ask(model, Message.user("What is the capital of France?"))
    current_emit.reset(token)
    (event,) = (event for event in heard if isinstance(event, ModelTimed))
    assert event.model == "smollm2-135m"
    assert event.usage == answer.usage
    assert event.first_token_seconds > 0
    assert event.tokens_per_second > 0
