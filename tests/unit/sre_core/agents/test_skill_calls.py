"""The skill calls of one turn: what the model gets back, and what ends a run."""

import asyncio
import json
import threading

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_core.access import Candidate
from sre_core.agents.conversation import Conversation
from sre_core.agents.limits import Limits
from sre_core.agents.skill_calls import unique_calls
from sre_core.connectors import CallDelta, LLMChunk
from sre_core.errors import AccessDeniedError, LimitExceededError
from sre_core.events import RunFailed, SkillCalled, SkillReturned, TextDelta, current_emit
from sre_core.messages import FinishReason, SkillCall
from sre_core.skills import Skill, SkillContext


def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


async def test_a_skill_is_called_and_its_result_goes_back(stage, asks):
    conversation = Conversation()
    ask = asks(("add", '{"a": 2, "b": "3"}'), text="Let me see.")
    reply = await stage.run(ask, "It is 5.", skills=[add], conversation=conversation)
    assert reply == "It is 5."
    assert [call.name for call in reply.skill_calls] == ["add"]
    assert [(m.role.value, m.text) for m in conversation.messages] == [
        ("user", "hi"),
        ("assistant", "Let me see."),
        ("skill", "5"),
        ("assistant", "It is 5."),
    ]
    assert stage.model.request.skills[0].name == "add"
    called, returned = stage.of(SkillCalled)[0], stage.of(SkillReturned)[0]
    assert (called.call_id, called.arguments) == ("c0", '{"a": 2, "b": "3"}')
    assert (returned.call_id, returned.result, returned.is_error) == ("c0", "5", False)
    assert returned.seconds > 0


async def test_calls_of_one_turn_run_together_and_their_results_keep_the_order(stage, asks):
    second_is_done = anyio.Event()

    async def first():
        await second_is_done.wait()
        return "1"

    async def second():
        second_is_done.set()
        return "2"

    with anyio.fail_after(60):
        await stage.run(asks(("first", "{}"), ("second", "{}")), "done", skills=[first, second])
    assert [message.text for message in stage.results()] == ["1", "2"]
    assert [event.result for event in stage.of(SkillReturned)] == ["2", "1"]


async def test_no_more_calls_run_at_once_than_allowed(stage, asks):
    running, most = 0, 0

    async def work():
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    ask = asks(*[("work", "{}")] * 10)
    await stage.run(ask, "done", skills=[work], limits=Limits(parallel_calls=3))
    assert most == 3
    assert len(stage.results()) == 10


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("ad", "{}", ["no skill 'ad'", "the skills are: add"]),
        ("", "{}", ["no skill ''"]),
        ("add", "{", ["not valid JSON", "its keys are: a, b"]),
        ("add", "[1]", ["not a JSON object"]),
        ("add", "null", ["not a JSON object"]),
        ("add", "[" * 100_000, ["not valid JSON"]),
        ("add", "", ["'a' is missing"]),
        ("add", '{"a": "x"}', ["'a': Input should be a valid integer", "not 'x'"]),
        ("add", '{"a": 1, "c": 1}', ["'c' is not known", "its arguments are: a, b"]),
    ],
)
async def test_a_bad_call_goes_back_to_the_model_in_words(stage, asks, name, arguments, says):
    reply = await stage.run(asks((name, arguments)), "sorry", skills=[add])
    result = stage.results()[0]
    assert result.is_error
    assert [text for text in says if text not in result.text] == []
    assert stage.of(SkillReturned)[0].is_error
    assert reply == "sorry"


async def test_a_call_when_no_skill_was_offered_is_answered_too(stage, asks):
    assert await stage.run(asks(("add", "{}")), "ok") == "ok"
    assert "there are no skills at all" in stage.results()[0].text


@pytest.mark.parametrize("reason", [FinishReason.LENGTH, FinishReason.CONTENT_FILTER])
async def test_a_call_that_was_cut_off_is_not_run(stage, reason):
    cut = [
        LLMChunk(call=CallDelta(index=0, id="x", name="add", arguments='{"a": 1, "b"')),
        LLMChunk(call=CallDelta(index=1, id="y", name="ready")),
        LLMChunk(finish_reason=reason),
    ]

    def ready() -> str:
        return "ran"

    await stage.run(cut, "ok", skills=[add, ready])
    assert ["cut off" in message.text for message in stage.results()] == [True, True]


async def test_a_skill_that_raises_gives_an_error_result(stage, asks):
    def broken():
        raise ValueError("no such city")

    async def swallowed():
        raise asyncio.CancelledError

    def stops():
        next(iter([]))

    def exits():
        raise SystemExit(3)

    def hint():
        return object()

    skills = [broken, swallowed, stops, exits, hint]
    await stage.run(asks(*[(skill.__name__, "{}") for skill in skills]), "ok", skills=skills)
    results = stage.results()
    assert all(message.is_error for message in results)
    assert results[0].text == "skill 'broken' failed: ValueError: no such city"
    assert "was cancelled" in results[1].text
    assert "StopIteration" in results[2].text
    assert "SystemExit" in results[3].text
    assert "not JSON, of type 'object'" in results[4].text


async def test_a_skill_that_is_too_slow_gives_an_error_result_even_in_a_thread(stage, asks):
    release = threading.Event()

    async def waits():
        await anyio.sleep_forever()

    def blocks():
        release.wait()

    skills = [Skill.from_function(waits, timeout=0.01), Skill.from_function(blocks, timeout=0.01)]
    with anyio.fail_after(60):
        await stage.run(asks(("waits", "{}"), ("blocks", "{}")), "ok", skills=skills)
    release.set()
    assert ["did not finish within 0.01 s" in message.text for message in stage.results()] == [True, True]


async def test_a_denied_access_ends_the_run_and_cancels_the_other_skills(stage, asks):
    stopped = []

    async def peek(context: SkillContext):
        await context.storage.of(Candidate.agent("b2")).read("secret.txt")

    async def waits():
        try:
            await anyio.sleep_forever()
        finally:
            stopped.append(True)

    conversation = Conversation()
    with anyio.fail_after(60), pytest.raises(AccessDeniedError, match="agent:a1 may not read"):
        await stage.run(asks(("waits", "{}"), ("peek", "{}")), skills=[peek, waits], conversation=conversation)
    assert stopped == [True]
    assert len(conversation) == 1
    assert stage.of(RunFailed)[0].code == "access.denied"


async def test_a_denied_access_within_the_skills_own_task_group_ends_the_run(stage, asks):
    async def peek(context: SkillContext):
        async with anyio.create_task_group() as group:
            group.start_soon(context.storage.of(Candidate.agent("b2")).read, "secret.txt")

    with pytest.raises(AccessDeniedError):
        await stage.run(asks(("peek", "{}")), skills=[peek])


async def test_cancelling_a_run_cancels_its_skills(stage, asks):
    started, stopped = anyio.Event(), []

    async def waits(n: int):
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            stopped.append(n)

    task = asyncio.create_task(stage.run(asks(("waits", '{"n": 1}'), ("waits", '{"n": 2}')), skills=[waits]))
    with anyio.fail_after(60):
        await started.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert sorted(stopped) == [1, 2]
    assert stage.types()[-1] == "run_failed"


async def test_the_limit_of_skill_calls_stops_before_the_call_that_breaks_it(stage, asks):
    ran = []

    def work():
        ran.append(1)

    ask = asks(("work", "{}"), ("work", "{}"))
    with pytest.raises(LimitExceededError, match="limit of 3 skill calls") as caught:
        await stage.run(ask, ask, skills=[work], limits=Limits(skill_calls=3))
    assert len(ran) == 2
    assert "Limits.skill_calls" in caught.value.hint


async def test_a_model_that_never_answers_reaches_the_limit_of_turns(stage, asks):
    with pytest.raises(LimitExceededError, match="limit of 2 model turns"):
        await stage.run(asks(("add", '{"a": 1}')), asks(("add", '{"a": 1}')), skills=[add], limits=Limits(turns=2))
    assert len(stage.model.requests) == 2


async def test_a_skill_gets_its_own_context_and_its_events_get_the_runs_ids(stage, asks):
    contexts = []

    async def note(text: str, context: SkillContext):
        contexts.append(context)
        await context.emit(TextDelta(text="working"))
        await context.storage.write("note.txt", text)
        assert current_emit.get() is not None

    await stage.run(asks(("note", '{"text": "x"}'), ids=["c7"]), "ok", skills=[note])
    assert (contexts[0].run_id, contexts[0].call_id) == ("r1", "c7")
    assert await stage.storage.read("note.txt") == b"x"
    working = [event for event in stage.of(TextDelta) if event.text == "working"]
    assert (working[0].run_id, working[0].agent_id) == ("r1", "a1")
    assert "parameters" not in json.dumps(dict(stage.model.requests[0].skills[0].parameters["properties"]))


async def test_ids_that_a_model_repeats_are_made_unique_in_the_whole_conversation(stage, asks):
    conversation = Conversation()
    ask = asks(("add", '{"a": 1}'), ("add", '{"a": 2}'), ids=["x", "x"])
    await stage.run(ask, asks(("add", '{"a": 3}'), ids=["x"]), "ok", skills=[add], conversation=conversation)
    asked = [call.id for message in conversation.messages for call in message.skill_calls]
    answered = [message.call_id for message in conversation.messages if message.call_id]
    assert asked == answered == ["x", "x_2", "x_3"]


@given(st.lists(st.sampled_from(["", "x", "x_2", "call", "y"])), st.sets(st.sampled_from(["x", "x_2", "call"])))
def test_unique_calls_never_share_an_id(ids, taken):
    before = set(taken)
    unique = [call.id for call in unique_calls([SkillCall(id=i, name="n", arguments="") for i in ids], taken)]
    assert len(set(unique)) == len(ids)
    assert not before & set(unique)
    assert taken == before | set(unique)
