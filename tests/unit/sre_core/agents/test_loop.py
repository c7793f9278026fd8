"""One prompt from its first event to its last."""

import asyncio

import anyio
import pytest

from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.connectors import LLMChunk, LLMRequest
from sre_core.errors import AccessDeniedError, ConnectorError, LimitExceededError, ModelReplyError, UnauthenticatedError
from sre_core.events import AccessDecided, RunFailed, RunFinished, RunStarted, TextDelta, UsageReported, current_emit
from sre_core.messages import FinishReason, Message
from sre_core.testing.scripted import Pause


async def test_a_prompt_is_answered_and_every_event_carries_the_ids(stage):
    reply = await stage.run("Hello there.", prompt="hi")
    assert reply == "Hello there."
    assert stage.types() == ["run_started", "text_delta", "text_delta", "usage_reported", "run_finished"]
    assert {(event.run_id, event.agent_id) for event in stage.events} == {("r1", "a1")}
    assert len({event.id for event in stage.events}) == len(stage.events)
    assert stage.of(RunStarted)[0].prompt == "hi"
    assert "".join(event.text for event in stage.of(TextDelta)) == "Hello there."
    assert stage.of(RunFinished)[0].text == "Hello there."


async def test_the_guards_decisions_land_in_the_runs_own_events(stage):
    await stage.run("ok")
    decided = stage.of(AccessDecided)
    assert [(event.resource, event.allowed) for event in decided] == [("llm/scripted", True)]
    assert current_emit.get() is None


async def test_the_reply_tells_what_it_took(stage):
    conversation = Conversation()
    reply = await stage.run("two words", conversation=conversation, base=LLMRequest(messages=(), model="scripted"))
    assert (reply.usage.output_tokens, reply.finish_reason, reply.model) == (2, FinishReason.STOP, "scripted")
    assert reply.messages == conversation.messages[1:] == (Message.assistant("two words"),)
    assert stage.of(UsageReported)[0].usage == reply.usage


async def test_the_system_prompt_goes_first_and_never_into_the_conversation(stage):
    conversation = Conversation(messages=[Message.user("a"), Message.assistant("b")])
    await stage.run("ok", behavior="Be kind.", conversation=conversation, prompt="c")
    assert [m.text for m in stage.model.request.messages] == ["Be kind.", "a", "b", "c"]
    assert [m.text for m in conversation.messages] == ["a", "b", "c", "ok"]


async def test_the_bound_on_output_is_the_smaller_of_both(stage):
    await stage.run("ok", limits=Limits(output_tokens=50), base=LLMRequest(messages=(), max_tokens=20))
    assert stage.model.request.max_tokens == 20
    await stage.run("ok", limits=Limits(output_tokens=50))
    assert stage.model.request.max_tokens == 50


async def test_thinking_is_reported_and_is_no_part_of_the_reply(stage):
    reply = await stage.run([LLMChunk(thinking="hm"), "yes", LLMChunk(finish_reason=FinishReason.STOP)])
    assert reply == "yes"
    assert stage.types()[1:3] == ["thinking_delta", "text_delta"]


@pytest.mark.parametrize(
    ("chunks", "says"),
    [
        ([LLMChunk(finish_reason=FinishReason.STOP)], "neither wrote text"),
        ([LLMChunk(text=" \n"), LLMChunk(finish_reason=FinishReason.STOP)], "neither wrote text"),
        ([LLMChunk(thinking="hm"), LLMChunk(finish_reason=FinishReason.STOP)], "only thought"),
        ([LLMChunk(finish_reason=FinishReason.LENGTH)], "spent all its output tokens"),
        ([LLMChunk(finish_reason=FinishReason.CONTENT_FILTER)], "content filter"),
        (["half a rep"], "cut"),
        ([], "cut"),
    ],
)
async def test_an_empty_or_cut_reply_is_an_error_that_says_why(stage, chunks, says):
    conversation = Conversation()
    with pytest.raises(ModelReplyError, match=says):
        await stage.run(chunks, conversation=conversation)
    assert stage.types()[-1] == "run_failed"
    assert len(conversation) == 1


async def test_a_reply_that_ran_into_the_token_bound_says_so(stage):
    reply = await stage.run(["half a rep", LLMChunk(finish_reason=FinishReason.LENGTH)])
    assert (reply, reply.finish_reason) == ("half a rep", FinishReason.LENGTH)


async def test_an_error_is_reported_with_its_code_and_then_propagates(stage):
    with pytest.raises(UnauthenticatedError):
        await stage.run(UnauthenticatedError("wrong key"))
    failed = stage.of(RunFailed)[0]
    assert (failed.code, failed.message) == ("connector.unauthenticated", "wrong key")
    assert stage.types() == ["run_started", "run_failed"]


async def test_a_model_that_the_agent_may_not_use_is_never_asked(stage):
    stage.guard = type(stage.guard)(type(stage.guard._acls)({}))
    with pytest.raises(AccessDeniedError):
        await stage.run("ok")
    assert stage.model.requests == []
    assert [event.allowed for event in stage.of(AccessDecided)] == [False]
    assert stage.of(RunFailed)[0].code == "access.denied"


async def test_a_foreign_error_does_not_show_its_text_in_the_event(stage):
    async def broken(event):
        stage.events.append(event)
        if event.type == "text_delta":
            raise KeyError("secret")

    with pytest.raises(KeyError):
        await stage.run("ok", emit=broken)
    assert "secret" not in stage.of(RunFailed)[0].message


async def test_a_reader_that_is_gone_does_not_hide_the_error(stage):
    async def broken(event):
        if event.type == "run_failed":
            raise OSError("nobody reads")

    with pytest.raises(ConnectorError, match="down"):
        await stage.run(ConnectorError("down"), emit=broken)


async def test_cancellation_closes_the_model_and_is_reported_and_not_wrapped(stage):
    pause = Pause()
    task = asyncio.create_task(stage.run(["first ", pause, "never"]))
    with anyio.fail_after(60):
        await pause.reached.wait()
        assert stage.model.running == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert task.cancelled()
    assert stage.model.running == 0
    assert stage.of(RunFailed)[0].code == "cancelled"


async def test_a_cancel_scope_around_a_run_still_gets_the_last_event(stage):
    pause = Pause()

    async def slow(event):
        await asyncio.sleep(0)
        stage.events.append(event)

    async def cancel_when_reached():
        await pause.reached.wait()
        scope.cancel()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            scope = group.cancel_scope
            group.start_soon(cancel_when_reached)
            await stage.run([pause], emit=slow)
    assert stage.types()[-1] == "run_failed"
    assert stage.model.running == 0


async def test_the_limit_of_seconds_stops_a_model_that_hangs(stage):
    with anyio.fail_after(60), pytest.raises(LimitExceededError, match=r"0\.01 seconds"):
        await stage.run([Pause()], limits=Limits(seconds=0.01))
    assert stage.model.running == 0
    assert stage.of(RunFailed)[0].code == "agent.limit"


async def test_the_limit_of_tokens_ends_a_run_and_keeps_the_answer_that_was_paid_for(stage):
    conversation = Conversation()
    with pytest.raises(LimitExceededError, match=r"used 4 tokens, and its limit is 3") as caught:
        await stage.run("one two three", prompt="hi", limits=Limits(tokens=3), conversation=conversation)
    assert "Limits.tokens" in caught.value.hint
    assert conversation.messages[-1] == Message.assistant("one two three")
    assert await stage.run("one two", limits=Limits(tokens=3)) == "one two"


class Recorded:
    """Durable steps, without the disk: what was done once is not done again."""

    def __init__(self):
        self.results = {}

    async def run(self, key, fn):
        if key not in self.results:
            self.results[key] = await fn()
        return self.results[key]


async def test_a_run_that_is_replayed_asks_nobody_and_ends_the_same(stage, asks):
    called = []

    def add(a: int, b: int) -> int:
        called.append((a, b))
        return a + b

    steps = Recorded()
    script = (asks(("add", '{"a": 1, "b": 2}'), ("add", '{"a": 3, "b": 4}')), "3 and 7")
    first = await stage.run(*script, skills=[add], steps=steps)
    assert list(steps.results) == ["turn/0", "turn/0/call/0", "turn/0/call/1", "turn/1"]
    assert steps.results["turn/0/call/1"] == ("7", False)
    stage.events.clear()
    again = await stage.run(skills=[add], steps=steps)
    assert (again, again.messages, again.usage) == (first, first.messages, first.usage)
    assert stage.model.requests == []
    assert called == [(1, 2), (3, 4)]
    assert "text_delta" not in stage.types()
    assert stage.types().count("skill_returned") == 2


async def test_runs_at_once_do_not_mix_their_events(stage):
    seen = {"x": [], "y": []}

    async def one(name):
        async def emit(event):
            seen[name].append(event)
            await asyncio.sleep(0)

        return await stage.run(f"I am {name}", emit=emit)

    assert await asyncio.gather(one("x"), one("y")) == ["I am x", "I am y"]
    for name, events in seen.items():
        assert "".join(event.text for event in events if isinstance(event, TextDelta)) == f"I am {name}"
        assert sum(isinstance(event, AccessDecided) for event in events) == 1
