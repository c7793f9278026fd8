"""The life of a connector: starts that fail or are cut short, stops, idle weights, one event loop after another."""

import asyncio
import threading
from contextlib import aclosing, suppress

import pytest

from sre_core.connectors.llm import LLMRequest, fold
from sre_core.errors import ConfigError, UnavailableError
from sre_core.messages import Message
from sre_smollm import SmolLM, SmolLMSettings

HELLO = Message.user("Hello")


@pytest.fixture
def make(tiny_folder):
    def make(**changes):
        return SmolLM(SmolLMSettings(weights=tiny_folder, engine="transformers", max_tokens=4, **changes))

    return make


@pytest.fixture
def engines():
    before = set(threading.enumerate())
    return lambda: [one for one in threading.enumerate() if one.name == "sre-smollm" and one not in before]


async def _ask(model, **changes):
    async with aclosing(model.stream(LLMRequest(messages=(HELLO,), **changes))) as chunks:
        return fold([chunk async for chunk in chunks])


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8])
async def test_a_start_that_is_cancelled_leaves_no_engine(make, engines, turns):
    model = make()
    starting = asyncio.create_task(model.start())
    # Each of its threads is waited for by what comes next here, too.
    for _ in range(turns):
        await asyncio.to_thread(lambda: None)
    starting.cancel()
    with suppress(asyncio.CancelledError):
        await starting
    await model.stop()
    assert engines() == []


async def test_a_start_that_fails_leaves_no_engine(make, engines, tiny_folder):
    for changes in ({"embedding_model": str(tiny_folder / "config.json")}, {"chat_template": "{{ nothing.at.all }}"}):
        model = make(**changes)
        with pytest.raises(ConfigError):
            await model.start()
        assert engines() == []
        with pytest.raises(UnavailableError):
            await model.ping()


async def test_a_stop_ends_what_is_written_and_what_waits(make, engines):
    model = make(batch=1)
    await model.start()
    writing = model.stream(LLMRequest(messages=(HELLO,), max_tokens=3000))
    await anext(writing)
    waiting = asyncio.create_task(_ask(model))
    while not model.stats.waiting:
        await asyncio.to_thread(lambda: None)
    await model.stop()
    with pytest.raises(UnavailableError, match="stopped"):
        async for _ in writing:
            pass
    with pytest.raises(UnavailableError, match="stopped"):
        await waiting
    assert engines() == []


async def test_a_request_that_is_cancelled_in_the_queue_leaves_it(make):
    model = make(batch=1)
    await model.start()
    async with aclosing(model.stream(LLMRequest(messages=(HELLO,), max_tokens=3000))) as writing:
        await anext(writing)
        waiting = asyncio.create_task(_ask(model))
        while not model.stats.waiting:
            await asyncio.to_thread(lambda: None)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (model.stats.waiting, model.stats.running) == (0, 1)
    await model.stop()


async def test_weights_that_nobody_asks_are_freed_and_loaded_again(make, engines):
    model = make(unload_after=0.001)
    await model.start()
    async with asyncio.timeout(120):
        while model.engine.loaded:
            await asyncio.to_thread(lambda: None)
        answers = [(await _ask(model)).message.text for _ in range(3)]
        answers += [answer.message.text for answer in await asyncio.gather(*(_ask(model) for _ in range(4)))]
    assert len(set(answers)) == 1
    await model.stop()
    assert engines() == []


def test_a_connector_serves_one_event_loop_after_another(make, engines):
    model = make()

    async def whole():
        await model.start()
        answer = await _ask(model)
        await model.stop()
        return answer.message.text

    async def forgotten():
        await model.start()
        return (await _ask(model)).message.text

    assert len({asyncio.run(each()) for each in (whole, whole, forgotten, forgotten)}) == 1
    asyncio.run(model.stop())
    assert engines() == []
