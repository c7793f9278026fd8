"""Agents: ids, skills, models, handles, runtimes."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from sre_core.connectors.storage import Storage
from sre_core.errors import AccessDeniedError, ConfigError, NotFoundError, SkillError, UnknownConnectorError
from sre_core.hookspecs import hookimpl
from sre_core.messages import Message, SkillCall
from sre_sdk import Agent, Candidate, File, LimitExceededError, Limits, Model, Skill, SkillContext


def call(name: str, **arguments) -> Message:
    return Message.assistant(skill_calls=(SkillCall(id="1", name=name, arguments=json.dumps(arguments)),))


def test_the_id_is_made_of_the_name():
    assert Agent("My Bücher Bot!").id == "my-bucher-bot"
    assert Agent("x" * 100).id == "x" * 64


@pytest.mark.parametrize("name", ["", "図書館", "---"])
def test_a_name_that_makes_no_id_asks_for_one(name):
    with pytest.raises(ConfigError, match="no id can be made") as caught:
        Agent(name)
    assert "id=" in caught.value.hint


@pytest.mark.parametrize("bad", ["", "a/b", "..", "a b", "x" * 65])
def test_an_illegal_id_or_team_is_refused(bad):
    with pytest.raises(ConfigError, match="illegal agent id"):
        Agent("a", id=bad)
    with pytest.raises(ConfigError, match="illegal team id"):
        Agent("a", team=bad)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": 5}, "the name of an agent cannot be 5"),
        ({"name": None}, "the name of an agent cannot be None"),
        ({"model": 5}, "model cannot be 5"),
        ({"limits": 5}, "limits cannot be 5"),
        ({"skills": "search"}, "skills cannot be 'search'"),
        ({"skills": len}, "skills cannot be <built-in"),
    ],
)
def test_a_value_of_a_wrong_type_is_named(given, message):
    with pytest.raises(ConfigError, match=message) as caught:
        Agent(**{"name": "a", **given})
    assert caught.value.hint.startswith("give ")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"text": None}, "a prompt cannot be None"),
        ({"text": b"hi"}, "a prompt cannot be b'hi'"),
        ({"model": 5}, "model cannot be 5"),
        ({"limits": 5}, "limits cannot be 5"),
        ({"files": "cat.png"}, "files cannot be 'cat.png'"),
    ],
)
def test_a_prompt_refuses_values_of_a_wrong_type_at_once(given, message):
    with pytest.raises(ConfigError, match=message):
        Agent("a").prompt(**{"text": "hi", **given})


def test_an_unknown_keyword_is_a_type_error():
    with pytest.raises(TypeError, match="behaviour"):
        Agent("a", behaviour="kind")


def test_decorated_functions_stay_what_they_are():
    agent = Agent("a")

    @agent.skill
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    @agent.skill(name="minus", description="Subtract.", timeout=2)
    def subtract(a: int, b: int) -> int:
        return a - b

    assert add(1, 2) == 3
    assert subtract(3, 2) == 1
    assert list(agent.skills) == ["add", "minus"]
    assert agent.skills["add"].description == "Add two numbers."
    assert agent.skills["minus"].description == "Subtract."
    assert agent.skills["minus"].timeout == 2


def test_skills_are_given_added_and_removed():
    def one() -> int:
        """One."""
        return 1

    def two() -> int:
        """Two."""
        return 2

    agent = Agent("a", skills=[one, Skill.from_function(two, name="second")])
    assert set(agent.skills) == {"one", "second"}
    agent.remove_skill("one")
    assert set(agent.skills) == {"second"}
    agent.add_skill(one)
    with pytest.raises(SkillError, match="already has a skill 'one'"):
        agent.add_skill(one)
    with pytest.raises(SkillError, match="no skill 'three'") as caught:
        agent.remove_skill("three")
    assert "one, second" in caught.value.hint


async def test_call_returns_the_bare_value(runtime):
    agent = Agent("a", runtime=runtime)

    @agent.skill
    def nothing(name: str) -> None:
        """Do nothing."""

    @agent.skill
    async def where(context: SkillContext) -> str:
        """Where am I."""
        await context.storage.write("here", "yes")
        return str(context.candidate)

    assert await agent.call("nothing", name="x") is None
    assert await agent.call("where") == "agent:a"
    assert await agent.storage.read_text("here") == "yes"


async def test_call_raises_skill_error(runtime):
    agent = Agent("a", runtime=runtime)

    @agent.skill
    def divide(a: int, b: int) -> float:
        """Divide."""
        return a / b

    with pytest.raises(SkillError, match="ZeroDivisionError") as caught:
        await agent.call("divide", a=1, b=0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(SkillError, match="bad arguments"):
        await agent.call("divide", a="x", b=1)
    with pytest.raises(SkillError, match="no skill 'multiply'"):
        await agent.call("multiply")


async def test_a_prompt_calls_skills(make_runtime):
    runtime, llm = make_runtime(call("add", a=2, b=3), "It is 5.")
    async with runtime:
        agent = Agent("a", behavior="You add.", runtime=runtime)

        @agent.skill
        def add(a: int, b: int) -> int:
            """Add."""
            return a + b

        reply = await agent.prompt("2 + 3?")
    assert reply == "It is 5."
    assert [made.name for made in reply.skill_calls] == ["add"]
    assert llm.request.messages[0] == Message.system("You add.")
    assert llm.request.messages[-1].text == "5"


async def test_a_model_carries_its_settings(make_runtime):
    runtime, llm = make_runtime("1", "2", "3")
    async with runtime:
        agent = Agent("a", model=Model("scripted", temperature=0.1, stop=("END",), seed=3), runtime=runtime)
        await agent.prompt("hi")
        assert (llm.request.temperature, llm.request.stop, llm.request.seed) == (0.1, ("END",), 3)
        await agent.prompt("hi", model="scripted")
        assert llm.request.temperature is None
        await agent.prompt("hi", model=Model(top_p=0.5))
        assert llm.request.top_p == 0.5


async def test_a_model_nobody_has_is_named(runtime):
    with pytest.raises(NotFoundError, match="gpt-99"):
        await Agent("a", model="gpt-99", runtime=runtime).prompt("hi")


async def test_limits_and_timeout_of_one_prompt(make_runtime):
    runtime, _ = make_runtime(call("again"), repeat=True)
    async with runtime:
        agent = Agent("a", runtime=runtime)

        @agent.skill
        async def again() -> str:
            """Again."""
            return "again"

        @agent.skill
        async def wait() -> None:
            """Wait."""
            await asyncio.Event().wait()

        with pytest.raises(LimitExceededError, match="turns"):
            await agent.prompt("go", limits=Limits(turns=2))
    runtime, _ = make_runtime(call("wait"))
    async with runtime:
        patient = Agent("a", runtime=runtime, skills=agent.skills.values())
        with pytest.raises(LimitExceededError, match="seconds"):
            await patient.prompt("go", timeout=0.01)


async def test_structured_output_is_an_object(make_runtime):
    @dataclass
    class Point:
        x: int
        y: int

    runtime, _ = make_runtime('{"x": 1, "y": 2}')
    async with runtime:
        reply = await Agent("a", runtime=runtime).prompt("where?", output_type=Point)
    assert reply.output == Point(1, 2)


async def test_files_and_paths_go_to_the_model(make_runtime, tmp_path: Path):
    runtime, llm = make_runtime("A cat.")
    picture = tmp_path / "cat.png"
    picture.write_bytes(b"png")
    async with runtime:
        given = File(name="dog.png", media_type="image/png", data=b"dog")
        await Agent("a", runtime=runtime).prompt("What?", files=[picture, given])
    assert llm.request.messages[-1].files == (File(name="cat.png", media_type="image/png", data=b"png"), given)


async def test_handles_need_a_runtime():
    with pytest.raises(ConfigError, match="agent 'a' has no open runtime") as caught:
        _ = Agent("a").storage
    assert "async with" in caught.value.hint


async def test_agents_of_a_team_share_its_home_and_no_other(runtime):
    first = Agent("first", team="ops", runtime=runtime)
    second = Agent("second", team="ops", runtime=runtime)
    stranger = Agent("stranger", runtime=runtime)
    home = Candidate.team("ops")
    await first.storage.of(home).write("plan", "go")
    assert await second.storage.of(home).read_text("plan") == "go"
    with pytest.raises(AccessDeniedError):
        await stranger.storage.of(home).read("plan")
    with pytest.raises(AccessDeniedError):
        await second.storage.of(first.candidate).read("plan")


async def test_a_prompt_without_a_runtime_opens_one(echo_project):
    assert await Agent("a").prompt("hello") == "hello"
    pieces = [piece async for piece in Agent("a").prompt("hello there").text()]
    assert "".join(pieces) == "hello there"


async def test_skills_of_a_one_shot_prompt_have_its_runtime(echo_project):
    agent = Agent("a")
    other = Agent("b")

    @agent.skill
    async def note(text: str) -> str:
        """Keep a note."""
        await agent.storage.write("note", text)
        assert other.storage.candidate == other.candidate
        return await other.prompt("asked b")

    assert await agent.prompt('call note {"text": "milk"}') == "asked b"
    async with agent:
        assert await agent.storage.read_text("note") == "milk"


async def test_leaving_a_one_shot_stream_ends_its_runtime(echo_project):
    agent = Agent("a")
    handle: asyncio.Future[Storage] = asyncio.get_running_loop().create_future()
    tasks = asyncio.all_tasks()

    @agent.skill
    async def wait() -> None:
        """Wait for ever."""
        await agent.storage.write("x", "1")
        handle.set_result(agent.storage)
        await agent.storage.read("x")
        await asyncio.Event().wait()

    async with agent.prompt("call wait").stream() as events:
        async for _ in events:
            # The guard's decision about the read, at the latest.
            if handle.done():
                break
    assert asyncio.all_tasks() == tasks
    with pytest.raises(ConfigError, match="runtime ended"):
        await handle.result().read("x")


async def test_events_reach_the_plugins_in_order(make_runtime):
    heard: list[str] = []

    class Listener:
        @hookimpl
        def on_event(self, event):
            heard.append(event.type)

    runtime, _ = make_runtime("Hello.", plugin=Listener())
    async with runtime:
        await Agent("a", runtime=runtime).prompt("hi")
    assert heard[0] == "run_started"
    assert heard[-1] == "run_finished"
    assert {"access_decided", "text_delta", "usage_reported"} <= set(heard)


async def test_async_with_keeps_one_runtime_open(echo_project):
    agent = Agent("a")
    async with agent:
        kept = agent.runtime
        await agent.prompt("one")
        assert agent.runtime is kept
        with pytest.raises(ConfigError, match="open already"):
            await agent.__aenter__()
    with pytest.raises(ConfigError, match="no open runtime"):
        _ = agent.runtime


async def test_a_runtime_that_cannot_open_leaves_the_agent_closed(echo_project):
    good = (echo_project / "sre.toml").read_text()
    (echo_project / "sre.toml").write_text("nosuch = 1\n")
    agent = Agent("a")
    with pytest.raises(ConfigError, match="nosuch"):
        await agent.__aenter__()
    (echo_project / "sre.toml").write_text(good)
    async with agent:
        assert await agent.prompt("hello") == "hello"


async def test_handles_act_as_the_agent(runtime):
    agent = Agent("a", runtime=runtime)
    handles = [agent.storage, agent.cache, agent.vectors, agent.vault, agent.llm]
    assert {handle.candidate for handle in handles} == {Candidate.agent("a")}
    assert "agent:a" in repr(agent.llm)


async def test_async_with_leaves_a_given_runtime_open(runtime):
    agent = Agent("a", runtime=runtime)
    async with agent, agent:
        pass
    assert await agent.prompt("hi") == "Hello there."


async def test_the_default_model_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sre.toml").write_text('[connectors.llm.default]\nuse = "nosuch"\n')
    with pytest.raises(UnknownConnectorError, match="nosuch"):
        await Agent("a").prompt("hi")
    # What needs no model works all the same.
    agent = Agent("a", skills=[len_of])
    assert await agent.call("len_of", text="four") == 4


async def test_plugins_offer_skills_by_name(make_runtime):
    class Offer:
        @hookimpl
        def register_skills(self):
            return [Skill.from_function(len_of)]

    runtime, llm = make_runtime(call("len_of", text="four"), "Four.", plugin=Offer())
    async with runtime:
        agent = Agent("a", skills=["len_of"], runtime=runtime)
        assert await agent.prompt("how long?") == "Four."
        assert llm.request.messages[-1].text == "4"
        assert await agent.call("len_of", text="four") == 4
        agent.remove_skill("len_of")
        with pytest.raises(SkillError, match="no skill"):
            await agent.call("len_of", text="four")
        with pytest.raises(SkillError, match="'nosuch' that no plugin offers"):
            await Agent("b", skills=["nosuch"], runtime=runtime).prompt("hi")


def len_of(text: str) -> int:
    """The length of a text."""
    return len(text)
