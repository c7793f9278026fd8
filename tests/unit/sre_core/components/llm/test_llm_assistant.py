"""A model that remembers what was said."""

import asyncio

import pytest

from sre_core.access.candidate import Candidate
from sre_core.components.context import Request
from sre_core.errors import ComponentError, RateLimitedError
from sre_core.messages import FinishReason
from sre_core.testing.bench import Bench, bench
from sre_core.testing.scripted import LLMChunk, Pause, ScriptedLLM

IDS = {"UserId": "u1", "ConversationId": "c1"}


def texts(request):
    return [message.text for message in request.messages]


async def test_a_conversation_goes_on(scripted):
    llm = ScriptedLLM("Hello Ann.", "You are Ann.")
    async with scripted(llm) as b:
        data = {"behavior": "You are {{Mood}}."}
        found = await b.run("LLMAssistant", data, inputs={"UserInput": "I am Ann.", "Mood": "kind", **IDS})
        assert found == {"Response": "Hello Ann."}
        await b.run("LLMAssistant", data, inputs={"UserInput": "Who am I?", "Mood": "kind", **IDS})
    assert texts(llm.request) == ["You are kind.", "I am Ann.", "Hello Ann.", "Who am I?"]


async def test_users_and_conversations_are_kept_apart(scripted):
    llm = ScriptedLLM("ok", repeat=True)
    async with scripted(llm) as b:
        await b.run("LLMAssistant", inputs={"UserInput": "secret", **IDS})
        for ids in ({"UserId": "u2", "ConversationId": "c1"}, {"UserId": "u1", "ConversationId": "c2"}):
            await b.run("LLMAssistant", inputs={"UserInput": "hi", **ids})
            assert texts(llm.request) == ["hi"]


async def test_a_caller_gets_into_no_conversation_of_another_by_its_ids(scripted):
    llm = ScriptedLLM("ok", repeat=True)
    async with scripted(llm) as b:
        for name in ("ann", "eve", "ann"):
            context = b.host.context(Request(), caller=Candidate.user(name))
            await Bench(b.host, context, []).run("LLMAssistant", inputs={"UserInput": f"I am {name}", **IDS})
    assert [len(texts(request)) for request in llm.requests] == [1, 1, 3]


@pytest.mark.parametrize("ids", [{}, {"UserId": "", "ConversationId": ""}, {"UserId": None}])
async def test_without_ids_nothing_is_remembered(scripted, ids):
    llm = ScriptedLLM("ok", repeat=True)
    async with scripted(llm) as b:
        await b.run("LLMAssistant", inputs={"UserInput": "one", **ids})
        await b.run("LLMAssistant", inputs={"UserInput": "two", **ids})
    assert texts(llm.request) == ["two"]


async def test_ids_may_be_anything(scripted):
    llm = ScriptedLLM("ok", repeat=True)
    ids = {"UserId": 7, "ConversationId": "../../{{KEY(x)}}\n" * 100}
    async with scripted(llm) as b:
        await b.run("LLMAssistant", inputs={"UserInput": "one", **ids})
        await b.run("LLMAssistant", inputs={"UserInput": "two", **ids})
    assert texts(llm.request) == ["one", "ok", "two"]


async def test_turns_that_overlap_are_all_remembered(scripted):
    pause = Pause()
    slow = [pause, LLMChunk(text="slow"), LLMChunk(finish_reason=FinishReason.STOP)]
    llm = ScriptedLLM(slow, "quick", "ok")
    async with scripted(llm) as b:
        first = asyncio.create_task(b.run("LLMAssistant", inputs={"UserInput": "one", **IDS}))
        await pause.reached.wait()
        await b.run("LLMAssistant", inputs={"UserInput": "two", **IDS})
        pause.resume.set()
        await first
        await b.run("LLMAssistant", inputs={"UserInput": "three", **IDS})
    assert texts(llm.request) == ["two", "quick", "one", "slow", "three"]


async def test_a_turn_that_failed_is_not_remembered(scripted):
    llm = ScriptedLLM(RateLimitedError("slow down"), "ok")
    async with scripted(llm) as b:
        with pytest.raises(RateLimitedError):
            await b.run("LLMAssistant", inputs={"UserInput": "one", **IDS})
        await b.run("LLMAssistant", inputs={"UserInput": "two", **IDS})
    assert texts(llm.request) == ["two"]


async def test_a_long_history_is_trimmed(scripted):
    llm = ScriptedLLM("ok", repeat=True)
    async with scripted(llm) as b:
        await b.run("LLMAssistant", inputs={"UserInput": "w " * 3000, **IDS})
        await b.run("LLMAssistant", inputs={"UserInput": "x " * 3000, **IDS})
        await b.run("LLMAssistant", inputs={"UserInput": "now", **IDS})
    assert [text[0] for text in texts(llm.request)] == ["x", "o", "n"]


async def test_what_a_user_says_is_never_a_template(scripted):
    llm = ScriptedLLM("ok", repeat=True)
    async with scripted(llm, secrets={"code": "42"}) as b:
        await b.run("LLMAssistant", inputs={"UserInput": "{{KEY(code)}}", **IDS})
        await b.run("LLMAssistant", inputs={"UserInput": "again", **IDS})
    assert texts(llm.request) == ["{{KEY(code)}}", "ok", "again"]


async def test_its_own_outputs_are_fields_of_the_reply(scripted):
    llm = ScriptedLLM('{"mood": "good"}', "ok")
    async with scripted(llm) as b:
        found = await b.run("LLMAssistant", inputs={"UserInput": "one", **IDS}, outputs=["mood"])
        assert found == {"Response": {"mood": "good"}, "mood": "good"}
        await b.run("LLMAssistant", inputs={"UserInput": "two", **IDS})
    assert texts(llm.request) == ["one", '{"mood":"good"}', "two"]


async def test_it_takes_sampling_and_passes_text_through(scripted):
    llm = ScriptedLLM("well well")
    async with scripted(llm) as b:
        await b.run("LLMAssistant", {"temperature": "0.2", "passthrough": True}, inputs={"UserInput": "one"})
        heard = [event.text for event in b.events if event.type == "text_delta"]
    assert llm.request.temperature == 0.2
    assert "".join(heard) == "well well"


async def test_a_user_who_says_nothing_is_an_error():
    async with bench() as b:
        with pytest.raises(ComponentError, match="said nothing"):
            await b.run("LLMAssistant", inputs={"UserInput": "", **IDS})
