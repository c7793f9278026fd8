"""What components work with: models by name, conversations, other agents, jobs, and the end of it all."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sre_core.access.candidate import Candidate
from sre_core.components.context import AgentInfo, Request
from sre_core.config import Config
from sre_core.errors import ConnectorError, NotFoundError, UnavailableError, UnsupportedError, WorkflowError
from sre_core.host import RuntimeHost, replaced_model
from sre_core.messages import File, Message, SkillCall
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime
from sre_core.skills import Skill, SkillContext
from sre_core.testing.scripted import ScriptedLLM

AGENT = AgentInfo(id="a1", name="One")


@pytest.fixture
def script() -> ScriptedLLM:
    return ScriptedLLM("Hello.", repeat=True)


@pytest.fixture
async def runtime(tmp_path: Path, script: ScriptedLLM) -> AsyncIterator[Runtime]:
    plugins = Plugins()
    plugins.register("script", script.as_plugin())
    connectors = {"llm": {"default": {"use": "scripted"}}, "storage": {"default": {"use": "memory"}}}
    async with Runtime(Config.model_validate({"data": tmp_path, "connectors": connectors}), plugins=plugins) as made:
        yield made


@pytest.mark.parametrize(
    ("name", "models", "wanted"),
    [
        ("gpt-4o", {}, "gpt-4o"),
        ("gpt-4o", {"gpt-4o": "mine"}, "mine"),
        ("gpt-4o", {"*": "all"}, "all"),
        ("gpt-4o", {"*": "all", "gpt-4o": "mine"}, "mine"),
        ("smythos/gpt-4o", {}, "gpt-4o"),
        ("smythos/gpt-4o", {"gpt-4o": "mine"}, "mine"),
        ("smythos/gpt-4o", {"smythos/gpt-4o": "mine", "gpt-4o": "other"}, "mine"),
        ("Echo", {}, "echo"),
        ("Echo", {"Echo": "mine"}, "mine"),
        ("Echo", {"echo": "mine"}, "mine"),
        ("gpt-4o", {"*": "Echo"}, "echo"),
        (None, {}, None),
        (None, {"*": "all"}, "all"),
        (None, {"gpt-4o": "mine"}, None),
        ("", {}, ""),
    ],
)
def test_a_model_of_a_file_is_replaced_by_its_name_as_written_or_plain(name, models, wanted):
    assert replaced_model(name, models) == wanted


@pytest.mark.parametrize("asked", [None, "", "default"])
async def test_without_a_name_the_model_is_the_agents_own(runtime, asked):
    assert RuntimeHost(runtime, AGENT, model="own").model(asked).request.model == "own"
    assert RuntimeHost(runtime, AGENT, model="own", models={"own": "mine"}).model(asked).request.model == "mine"
    assert RuntimeHost(runtime, AGENT).model(asked).request.model is None


async def test_the_context_acts_as_the_agent_and_reads_as_the_caller(runtime):
    host, ann = RuntimeHost(runtime, AGENT), Candidate.user("ann")
    context = host.context(Request(session_id="s"), caller=ann)
    assert (context.candidate, context.caller) == (Candidate.agent("a1"), ann)
    await context.storage.write("x", b"agent's")
    await context.caller_storage.write("x", b"ann's")
    assert await context.storage.read("x") == b"agent's"
    assert host.context(Request()).caller == Candidate.agent("a1")
    assert host.context(Request()).run_id != context.run_id


async def test_a_conversation_has_behavior_history_and_files(runtime, script):
    host = RuntimeHost(runtime, AGENT)
    history = [Message.user("Before?"), Message.assistant("Yes.")]
    file = File(name="a.txt", media_type="text/plain", data=b"x")
    with pytest.raises(UnsupportedError, match=r"a\.txt"):
        await host.converse("Now?", files=(file,))
    answer = await host.converse("Now?", model="default", behavior="Be kind.", history=history)
    assert answer == "Hello."
    request = script.requests[0]
    assert [message.text for message in request.messages] == ["Be kind.", "Before?", "Yes.", "Now?"]


async def test_what_fails_in_a_conversation_is_raised(tmp_path):
    plugins = Plugins()
    plugins.register("script", ScriptedLLM(ConnectorError("the model is gone")).as_plugin())
    config = Config.model_validate({"data": tmp_path, "connectors": {"llm": {"default": {"use": "scripted"}}}})
    async with Runtime(config, plugins=plugins) as made:
        with pytest.raises(ConnectorError, match="the model is gone"):
            await RuntimeHost(made, AGENT).converse("Hi")


async def test_other_agents_are_those_that_can_be_found(runtime):
    with pytest.raises(NotFoundError, match="no agent 'b' is known here"):
        await RuntimeHost(runtime, AGENT).sub_agent("b")

    async def find(name, version):
        raise NotFoundError(f"looked for {name} {version}")

    with pytest.raises(NotFoundError, match="looked for b 2"):
        await RuntimeHost(runtime, AGENT, find_agent=find).sub_agent("b", version="2")


async def test_components_are_found_by_name(runtime):
    host = RuntimeHost(runtime, AGENT)
    assert host.component("FHash").name == "FHash"
    with pytest.raises(WorkflowError, match="no component 'FHsah'"):
        host.component("FHsah")


async def test_closing_waits_for_jobs_or_cancels_them(runtime):
    ends = []

    async def work(go: asyncio.Event) -> None:
        try:
            await go.wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise
        ends.append("done")

    host, go = RuntimeHost(runtime, AGENT), asyncio.Event()
    host.jobs.start("one", lambda: work(go))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(go.set)
    await host.aclose(join=True)
    host.jobs.start("two", lambda: work(asyncio.Event()))
    await asyncio.sleep(0)
    await host.aclose()
    await host.aclose()
    assert ends == ["done", "cancelled"]


async def test_a_closing_that_is_cancelled_leaves_no_job_and_no_connection(runtime):
    host, ended = RuntimeHost(runtime, AGENT), asyncio.Event()
    client = host.http

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    host.jobs.start("one", work)
    closing = asyncio.create_task(host.aclose(join=True))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert ended.is_set()
    assert host.jobs.pending == 0
    with pytest.raises(UnavailableError):
        await client.request("GET", "https://example.com", trusted=True)


async def test_skills_in_a_conversation_work_with_the_agents_handles(tmp_path):
    seen = []

    async def look(context: SkillContext) -> str:
        """Look."""
        seen.append(context)
        return "ok"

    asked = Message.assistant(skill_calls=(SkillCall(id="1", name="look", arguments="{}"),))
    plugins = Plugins()
    plugins.register("script", ScriptedLLM(asked, "Done.").as_plugin())
    connectors = {"llm": {"default": {"use": "scripted"}}, "storage": {"default": {"use": "memory"}}}
    config = Config.model_validate({"data": tmp_path, "connectors": connectors})
    skill = Skill.from_function(look)
    async with Runtime(config, plugins=plugins) as made:
        assert await RuntimeHost(made, AGENT).converse("Go", skills={"look": skill}) == "Done."
    assert seen[0].candidate == Candidate.agent("a1")
