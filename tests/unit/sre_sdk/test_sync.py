"""Agents and chats without async."""

import asyncio
import threading

import pytest

from sre_core.errors import ConfigError, SkillError, UnavailableError
from sre_core.events import RunFinished, RunStarted, TextDelta
from sre_sdk import Agent, Limits, sync


def test_a_prompt_returns_the_reply(echo_project):
    with sync.SyncRuntime() as runtime:
        agent = sync.Agent("a", runtime=runtime)
        assert agent.prompt("hello") == "hello"
        assert agent.prompt("again").usage.total_tokens > 0
    assert agent.id == "a"


def test_without_a_runtime_each_call_opens_one(echo_project):
    assert sync.Agent("a").prompt("hello") == "hello"
    assert Agent("a").prompt_sync("hello") == "hello"
    assert isinstance(next(sync.Agent("a").stream("hello")), RunStarted)


def test_with_keeps_one_runtime_open(echo_project):
    agent = Agent("a")

    @agent.skill
    async def keep(text: str) -> str:
        """Keep a text."""
        await agent.storage.write("kept", text)
        return threading.current_thread().name

    with agent.sync as face:
        first = face.call("keep", text="x")
        assert face.call("keep", text="y") == first
        assert first != threading.current_thread().name
        with pytest.raises(ConfigError, match="open already"):
            face.__enter__()
        with pytest.raises(SkillError):
            face.call("nosuch")


def test_a_stream_is_a_plain_iterator(echo_project):
    with sync.Agent("a") as agent:
        events = list(agent.stream("one two three"))
    assert isinstance(events[-1], RunFinished)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "one two three"


def test_leaving_a_stream_early_ends_the_run(echo_project):
    ended = threading.Event()
    agent = Agent("a")

    @agent.skill
    async def wait() -> None:
        """Wait for ever."""
        try:
            await _forever()
        finally:
            ended.set()

    with agent.sync as face:
        stream = face.stream("call wait")
        for event in stream:
            if event.type == "skill_called":
                break
        stream.close()
        assert ended.is_set()


def test_a_stream_that_outlives_its_runtime_is_quiet(echo_project):
    with sync.Agent("a") as agent:
        stream = agent.stream("one two")
        next(stream)
    stream.close()


def test_errors_come_out_as_they_are(make_sync_runtime):
    with make_sync_runtime(UnavailableError("gone"), UnavailableError("gone")) as runtime:
        agent = sync.Agent("a", limits=Limits(retries=0), runtime=runtime)
        with pytest.raises(UnavailableError, match="gone"):
            agent.prompt("hi")
        with pytest.raises(UnavailableError, match="gone"):
            list(agent.stream("hi"))


async def test_it_works_inside_a_running_loop(echo_project):
    assert Agent("a").prompt_sync("hello") == "hello"
    with sync.Agent("a") as agent:
        assert agent.prompt("hello") == "hello"


async def test_an_agent_of_an_async_runtime_refuses(runtime):
    with pytest.raises(ConfigError, match="async runtime"):
        Agent("a", runtime=runtime).prompt_sync("hi")


def test_chats_go_on(echo_project):
    with sync.Agent("a") as agent:
        chat = agent.chat("c")
        chat.prompt("one")
        list(chat.stream("two"))
        assert [message.text for message in chat.messages()] == ["one", "one", "two", "two"]
        fork = chat.fork("d", at=2)
        assert agent.chats() == ["c", "d"]
        fork.delete()
        chat.clear()
        assert chat.messages() == ()
        assert agent.chats() == [chat.id]
    assert sync.Agent("a").chats() == ["c"]


def test_skills_are_shared_with_the_async_agent():
    agent = sync.Agent("a")

    @agent.skill
    def one() -> int:
        """One."""
        return 1

    @agent.skill(name="zwei")
    def two() -> int:
        """Two."""
        return 2

    agent.add_skill(len_of)
    assert list(agent.skills) == list(agent.agent.skills) == ["one", "zwei", "len_of"]
    agent.remove_skill("one")
    assert "one" not in agent.skills
    assert agent.name == "a"


def len_of(text: str) -> int:
    """The length of a text."""
    return len(text)


async def _forever() -> None:
    await asyncio.Event().wait()
