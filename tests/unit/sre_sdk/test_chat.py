"""Chats: history, storage, order, failures, forks."""

import asyncio
import json

import pytest

from sre_core.connectors.llm import LLMChunk
from sre_core.errors import AgentError, ConfigError, ConflictError, LimitExceededError, UnavailableError
from sre_core.events import RunFinished
from sre_core.messages import FinishReason, Message, MessageRole, SkillCall, Usage
from sre_core.testing.scripted import Pause
from sre_sdk import Agent, Limits
from sre_sdk.chat import _finish


def texts(messages) -> list[str]:
    return [message.text for message in messages]


async def test_a_chat_remembers(make_runtime):
    runtime, llm = make_runtime("Hello Ann.", "Ann.")
    async with runtime:
        chat = Agent("a", runtime=runtime).chat()
        assert await chat.messages() == ()
        await chat.prompt("I am Ann.")
        await chat.prompt("Who am I?")
        assert texts(llm.request.messages) == ["I am Ann.", "Hello Ann.", "Who am I?"]
        assert texts(await chat.messages()) == ["I am Ann.", "Hello Ann.", "Who am I?", "Ann."]


async def test_a_chat_with_an_id_is_stored_and_one_without_is_not(make_runtime):
    runtime, _ = make_runtime("Yes.", repeat=True)
    async with runtime:
        agent = Agent("a", runtime=runtime)
        await agent.chat().prompt("hi")
        assert await agent.chats() == []
        await agent.chat("second").prompt("hi")
        await agent.chat("first").prompt("hi")
        await agent.storage.write("chats/notes.txt", "not a chat")
        await agent.storage.write("chats/deeper/x.json", "{}")
        assert await agent.chats() == ["first", "second"]
        again = Agent("a", runtime=runtime).chat("first")
        assert texts(await again.messages()) == ["hi", "Yes."]


async def test_illegal_chat_ids_are_refused():
    with pytest.raises(ConfigError, match="chat id"):
        Agent("a").chat("../b")


async def test_a_stored_chat_works_without_an_open_runtime(echo_project):
    agent = Agent("a")
    await agent.chat("c").prompt("one")
    assert texts(await Agent("a").chat("c").messages()) == ["one", "one"]


async def test_concurrent_prompts_take_turns(make_runtime):
    runtime, llm = make_runtime("A", "B", "C")
    async with runtime:
        agent = Agent("a", runtime=runtime)
        chat, same = agent.chat("c"), agent.chat("c")
        await asyncio.gather(chat.prompt("1"), same.prompt("2"), chat.prompt("3"))
        assert texts(await chat.messages()) == ["1", "A", "2", "B", "3", "C"]
    assert [len(request.messages) for request in llm.requests] == [1, 3, 5]


async def test_two_processes_that_answer_at_once_keep_both_turns(make_runtime):
    pause = Pause()
    runtime, _ = make_runtime(lambda request: _slow_first(request, pause), repeat=True)
    async with runtime:
        # Two agents of one id know as little of each other as two processes.
        one, two = Agent("a", runtime=runtime).chat("c"), Agent("a", runtime=runtime).chat("c")
        slow = asyncio.ensure_future(_wait(one.prompt("slow")))
        await pause.reached.wait()
        await two.prompt("quick")
        pause.resume.set()
        await slow
        expected = ["quick", "done", "slow", "done"]
        assert texts(await one.messages()) == expected
        assert texts(await two.messages()) == expected


async def test_a_chat_deleted_meanwhile_keeps_the_answered_turn(make_runtime):
    pause = Pause()
    runtime, _ = make_runtime("first", [pause, *_words("second")])
    async with runtime:
        one, two = Agent("a", runtime=runtime).chat("c"), Agent("a", runtime=runtime).chat("c")
        await one.prompt("1")
        running = asyncio.ensure_future(_wait(one.prompt("2")))
        await pause.reached.wait()
        await two.delete()
        pause.resume.set()
        await running
        assert texts(await two.messages()) == ["2", "second"]


async def test_a_failed_prompt_leaves_no_trace(make_runtime):
    call = Message.assistant(skill_calls=(SkillCall(id="1", name="one", arguments="{}"),))
    runtime, _ = make_runtime("Hello.", call, UnavailableError("gone"), call, call, "Fine.")
    async with runtime:
        agent = Agent("a", runtime=runtime, limits=Limits(retries=0))

        @agent.skill
        async def one() -> int:
            """One."""
            return 1

        chat = agent.chat("c")
        await chat.prompt("hi")
        with pytest.raises(UnavailableError):
            await chat.prompt("fails")
        with pytest.raises(LimitExceededError):
            await chat.prompt("limited", limits=Limits(turns=2))
        assert texts(await chat.messages()) == ["hi", "Hello."]
        await chat.prompt("again")
        stored = json.loads(await agent.storage.read("chats/c.json"))
    assert [message["text"] for message in stored["messages"]] == ["hi", "Hello.", "again", "Fine."]


async def test_a_cancelled_prompt_leaves_no_trace(make_runtime):
    pause = Pause()
    runtime, _ = make_runtime(["Hel", pause], "Fine.")
    async with runtime:
        chat = Agent("a", runtime=runtime).chat("c")
        running = asyncio.ensure_future(_wait(chat.prompt("hi")))
        await pause.reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await chat.messages() == ()
        assert await chat.prompt("again") == "Fine."


async def test_leaving_the_stream_after_the_answer_keeps_the_turn(runtime):
    chat = Agent("a", runtime=runtime).chat("c")
    async with chat.prompt("hi").stream() as events:
        async for event in events:
            if isinstance(event, RunFinished):
                break
    assert texts(await chat.messages()) == ["hi", "Hello there."]


async def test_a_cancellation_waits_until_the_turn_is_stored():
    begun, go_on, stored = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def store() -> str:
        begun.set()
        await go_on.wait()
        stored.set()
        return "stored"

    task = asyncio.create_task(_finish(store()))
    await begun.wait()
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stored.is_set()


async def test_clear_forgets_and_keeps_the_chat(runtime):
    agent = Agent("a", runtime=runtime)
    for chat in (agent.chat("c"), agent.chat()):
        await chat.prompt("hi")
        await chat.clear()
        assert await chat.messages() == ()
        await chat.prompt("hi")
        assert len(await chat.messages()) == 2
    assert await agent.chats() == ["c"]


async def test_delete_removes_what_is_stored(runtime):
    agent = Agent("a", runtime=runtime)
    chat = agent.chat("c")
    await chat.prompt("hi")
    await chat.delete()
    await chat.delete()
    assert await agent.chats() == []
    assert await chat.messages() == ()


async def test_a_fork_goes_its_own_way(make_runtime):
    runtime, _ = make_runtime("A", "B", "C", "D")
    async with runtime:
        agent = Agent("a", runtime=runtime)
        chat = agent.chat("c")
        await chat.prompt("1")
        await chat.prompt("2")
        fork = await chat.fork("d", at=2)
        assert texts(await fork.messages()) == ["1", "A"]
        await fork.prompt("3")
        loose = await fork.fork()
        await loose.prompt("4")
        assert texts(await agent.chat("d").messages()) == ["1", "A", "3", "C"]
        assert texts(await loose.messages()) == ["1", "A", "3", "C", "4", "D"]
        assert texts(await chat.messages()) == ["1", "A", "2", "B"]
        assert await agent.chats() == ["c", "d"]
        with pytest.raises(ConflictError, match="'d'"):
            await chat.fork("d")


@pytest.mark.parametrize("at", [-1, 1, 3, 5])
async def test_a_fork_never_cuts_an_exchange(make_runtime, at):
    runtime, _ = make_runtime("A", "B")
    async with runtime:
        chat = Agent("a", runtime=runtime).chat()
        await chat.prompt("1")
        await chat.prompt("2")
        with pytest.raises(ConfigError, match="cannot fork") as caught:
            await chat.fork(at=at)
    assert "0, 2, 4" in caught.value.hint


async def test_a_skill_that_uses_its_own_chat_is_told_so(make_runtime):
    call = Message.assistant(skill_calls=(SkillCall(id="1", name="ask", arguments="{}"),))
    runtime, _ = make_runtime(call, "Done.")
    async with runtime:
        agent = Agent("a", runtime=runtime)
        chat = agent.chat()
        caught: list[AgentError] = []

        @agent.skill
        async def ask() -> str:
            """Ask."""
            try:
                return await chat.prompt("and?")
            except AgentError as error:
                caught.append(error)
                raise

        await chat.prompt("hi")
        assert "wait for itself" in caught[0].message
        roles = [message.role for message in await chat.messages()]
    assert roles == [MessageRole.USER, MessageRole.ASSISTANT, MessageRole.SKILL, MessageRole.ASSISTANT]


def _words(text: str):
    return [text, LLMChunk(usage=Usage(), finish_reason=FinishReason.STOP)]


def _slow_first(request, pause):
    return [pause, *_words("done")] if request.messages[-1].text == "slow" else "done"


async def _wait(run):
    return await run
