"""ScriptedLLM says what a test tells it to say."""

import asyncio
from contextlib import aclosing

import pytest

from sre_core.builtin.echo_llm import EchoLLM
from sre_core.connectors.base import Service, Settings
from sre_core.connectors.llm import LLMChunk, LLMRequest, fold
from sre_core.errors import ConfigError, ConnectorError, NotFoundError, RateLimitedError, UnsupportedError
from sre_core.messages import FinishReason, Message, SkillCall, SkillSpec, Usage
from sre_core.plugins import Plugins
from sre_core.testing import Pause, ScriptedLLM
from sre_core.testing.conformance.llm import LLMConformance, LLMRateLimitConformance

CALLS = (SkillCall(id="c1", name="add", arguments='{"a": 1}'), SkillCall(id="c2", name="now", arguments=""))
END = LLMChunk(finish_reason=FinishReason.STOP)


def ask(text="hi", **changes):
    return LLMRequest(messages=(Message.user(text),), **changes)


async def chunks_of(llm, request=None):
    async with aclosing(llm.stream(request or ask())) as chunks:
        return [chunk async for chunk in chunks]


class Echoing(ScriptedLLM):
    """A script whose replies follow the request, as the kit needs them."""

    def __init__(self, settings=None):
        super().__init__(self.reply, capabilities=["count-tokens"], repeat=True)
        self.settings = settings or Settings()
        self.echo = EchoLLM(Settings())

    def reply(self, request):
        text = request.messages[-1].text
        for stop in request.stop:
            text = text.partition(stop)[0]
        words = text.split(" ")
        kept = words[: request.max_tokens]
        finish = FinishReason.LENGTH if kept != words else FinishReason.STOP
        usage = Usage(input_tokens=1, output_tokens=len(kept))
        return [" ".join(kept), LLMChunk(usage=usage, finish_reason=finish)]


class TestScriptedLLM(LLMConformance, LLMRateLimitConformance):
    def make(self):
        return Echoing()

    def make_limited(self):
        return ScriptedLLM(RateLimitedError("slow down", retry_after=self.retry_after))

    def fits(self, prompt, answer):
        return answer == prompt


async def test_text_comes_in_pieces_with_usage_and_finish_reason():
    chunks = await chunks_of(ScriptedLLM("Hello there."))
    assert len(chunks) > 2
    answer = fold(chunks)
    assert answer.message == Message.assistant("Hello there.")
    assert answer.usage == Usage(input_tokens=1, output_tokens=2)
    assert answer.finish_reason is FinishReason.STOP


async def test_a_message_gives_its_skill_calls_in_pieces():
    message = Message.assistant("Let me see.", skill_calls=CALLS)
    chunks = await chunks_of(ScriptedLLM(message))
    assert len([chunk for chunk in chunks if chunk.call]) == 4
    assert (fold(chunks).message, fold(chunks).finish_reason) == (message, FinishReason.SKILL_CALLS)


async def test_replies_come_in_order_and_requests_are_kept():
    llm = ScriptedLLM("one", "two")
    assert [fold(await chunks_of(llm, ask(text))).message.text for text in ("a", "b")] == ["one", "two"]
    assert [request.messages[-1].text for request in llm.requests] == ["a", "b"]
    assert llm.request is llm.requests[-1]


async def test_a_list_is_played_as_it_stands():
    chunks = [LLMChunk(thinking="hm"), LLMChunk(text="x"), END]
    assert await chunks_of(ScriptedLLM(chunks)) == chunks
    assert await chunks_of(ScriptedLLM(["cut"])) == [LLMChunk(text="cut")]
    assert await chunks_of(ScriptedLLM([])) == []


async def test_an_exception_is_raised_where_it_stands():
    limited = RateLimitedError("slow down", retry_after=1)
    llm = ScriptedLLM(limited, ["half", limited, END], "fine")
    with pytest.raises(RateLimitedError):
        await chunks_of(llm)
    async with aclosing(llm.stream(ask())) as chunks:
        assert (await anext(chunks)).text == "half"
        with pytest.raises(RateLimitedError):
            await anext(chunks)
    assert fold(await chunks_of(llm)).message.text == "fine"


async def test_a_function_makes_a_reply_of_the_request():
    llm = ScriptedLLM(lambda request: request.messages[-1].text.upper())
    assert fold(await chunks_of(llm, ask("loud"))).message.text == "LOUD"


async def test_a_script_that_ran_out_says_so():
    llm = ScriptedLLM("only one")
    await chunks_of(llm)
    with pytest.raises(ConnectorError, match="1 replies, and was asked for number 2"):
        await chunks_of(llm)


async def test_an_empty_script_has_nothing_to_repeat():
    with pytest.raises(ConnectorError):
        await chunks_of(ScriptedLLM(repeat=True))


async def test_a_repeated_script_begins_again():
    llm = ScriptedLLM("a", "b", repeat=True)
    assert [fold(await chunks_of(llm)).message.text for _ in range(5)] == ["a", "b", "a", "b", "a"]


async def test_a_pause_waits_until_it_is_resumed():
    pause = Pause()
    llm = ScriptedLLM(["one", pause, "two", END])
    reading = asyncio.create_task(chunks_of(llm))
    await pause.reached.wait()
    assert llm.running == 1
    pause.resume.set()
    assert fold(await reading).message.text == "onetwo"
    assert llm.running == 0


async def test_a_paused_reply_can_be_cancelled():
    pause = Pause()
    llm = ScriptedLLM(["one", pause, END], "next")
    reading = asyncio.create_task(chunks_of(llm))
    await pause.reached.wait()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert llm.running == 0
    assert fold(await chunks_of(llm)).message.text == "next"


async def test_a_refused_request_uses_up_no_reply():
    llm = ScriptedLLM("hello", capabilities=[], models=["m1", "m2"], options=["loud"])
    skill = SkillSpec(name="add", description="", parameters={})
    for request, error in (
        (ask(skills=(skill,)), UnsupportedError),
        (ask(model="m3"), NotFoundError),
        (ask(options={"quiet": True}), ConfigError),
    ):
        with pytest.raises(error):
            await chunks_of(llm, request)
    assert llm.requests == []
    assert fold(await chunks_of(llm, ask(model="m2", options={"loud": True}))).message.text == "hello"


async def test_as_a_plugin_it_is_a_connector_that_plays_the_same_script():
    llm = ScriptedLLM("one", "two", capabilities=["count-tokens"])
    (kind,) = llm.as_plugin().register_connectors()
    first, second = kind(Settings()), kind(Settings())
    assert (kind.name, kind.capabilities) == ("scripted", frozenset({"count-tokens"}))
    assert fold(await chunks_of(first, ask("a"))).message.text == "one"
    assert fold(await chunks_of(second, ask("b"))).message.text == "two"
    assert len(llm.requests) == 2
    assert [model.id for model in await first.models()] == ["scripted"]
    assert await first.count_tokens(["a b"]) == [2]
    with pytest.raises(UnsupportedError):
        await first.embed(["a"])


def test_the_plugin_registers_without_an_error():
    llm = ScriptedLLM("hello")
    plugins = Plugins()
    plugins.register("script", llm.as_plugin())
    assert [info.error for info in plugins.infos if info.name == "script"] == [None]
    assert plugins.connector(Service.LLM, "scripted").name == "scripted"
