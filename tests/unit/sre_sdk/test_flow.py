"""Calling endpoints of a workflow: arguments, files, sessions, callers, results, events, jobs and runtimes."""

import asyncio
import gc
import hashlib
import json
import weakref
from pathlib import Path

import pytest

from sre_core.errors import SkillError, StepFailedError, WorkflowError
from sre_core.events import SkillReturned, StepFinished, StepStarted, TextDelta
from sre_core.hookspecs import hookimpl
from sre_core.messages import Message, SkillCall
from sre_sdk import Agent, Candidate, Compat, Component, File
from sre_sdk.owner import working_in
from tests.unit.sre_sdk.conftest import MakeRuntime
from tests.unit.sre_sdk.flows import Break, Look, asking, document, seen


def calls(name: str, **arguments) -> Message:
    return Message.assistant(skill_calls=(SkillCall(id="1", name=name, arguments=json.dumps(arguments)),))


class Observer:
    """A plugin that hears all events."""

    def __init__(self):
        self.events = []

    @hookimpl
    def on_event(self, event):
        self.events.append(event)


async def test_arguments_arrive_in_the_types_of_the_endpoint(runtime):
    agent = Agent("Bob", runtime=runtime)
    kinds = {"n": int, "flag": bool, "tags": list, "text": str, "any": "Any"}
    entry = agent.endpoint("ask", inputs=kinds)
    Component.of(Look).connect({name: entry.out.body[name] for name in kinds})
    found = await agent.call("ask", n="7", flag="true", tags="a,b", text="007", any={"x": None})
    assert seen(found)["inputs"] == {"n": 7, "flag": True, "tags": ["a", "b"], "text": "007", "any": {"x": None}}


async def test_a_get_endpoint_takes_its_arguments_from_the_query(runtime):
    agent = Agent("Bob", runtime=runtime)
    entry = agent.endpoint("find", method="GET", inputs={"q": str})
    Component.of(Look).connect(q=entry.out.query.q)
    found = seen(await agent.call("find", q="x"))
    assert (found["method"], found["inputs"]) == ("GET", {"q": "x"})


async def test_arguments_may_have_the_names_of_parameters(runtime):
    agent = Agent("Bob", runtime=runtime)
    entry = agent.endpoint("ask", inputs={"self": str, "name": str, "context": str})
    Component.of(Look).connect(a=entry.out.body["self"], b=entry.out.body.name, c=entry.out.body.context)
    found = await agent.call("ask", self="1", name="2", context="3")
    assert seen(found)["inputs"] == {"a": "1", "b": "2", "c": "3"}


@pytest.mark.parametrize("how", ["path", "file", "bytes"])
async def test_files_go_in_as_paths_files_and_bytes(runtime, tmp_path, how):
    (tmp_path / "a.txt").write_bytes(b"hello")
    given = {
        "path": tmp_path / "a.txt",
        "file": File(name="a.txt", media_type="text/plain", data=b"hello"),
        "bytes": b"hello",
    }[how]
    agent, _, _ = asking(port="Binary", runtime=runtime)
    value = seen(await agent.call("ask", q=given))["inputs"]["q"]
    assert (value["mimetype"], value["size"]) == ("text/plain", 5)
    assert value["url"].startswith("smythfs://")


@pytest.mark.parametrize("count", [1, 2])
async def test_a_list_of_files_stays_a_list(runtime, tmp_path, count):
    (tmp_path / "a.txt").write_bytes(b"hello")
    agent, _, _ = asking(port="Binary", runtime=runtime)
    values = seen(await agent.call("ask", q=[tmp_path / "a.txt"] * count))["inputs"]["q"]
    assert [value["size"] for value in values] == [5] * count


async def test_a_list_may_mix_the_forms_of_files(runtime, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"hello")
    agent, _, _ = asking(port="Binary", runtime=runtime)
    file = File(name="b.txt", media_type="text/plain", data=b"to")
    values = seen(await agent.call("ask", q=[tmp_path / "a.txt", b"x", file]))["inputs"]["q"]
    assert [value["size"] for value in values] == [5, 1, 2]


async def test_a_file_where_none_is_taken_is_refused(runtime, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"hello")
    agent, _, _ = asking(port=str, runtime=runtime)
    with pytest.raises(SkillError, match="the input 'q' takes no file, its type is 'String'"):
        await agent.call("ask", q=tmp_path / "a.txt")


async def test_a_file_that_is_not_there_is_named(runtime, tmp_path):
    agent, _, _ = asking(port="Binary", runtime=runtime)
    with pytest.raises(SkillError, match=r"nothing\.txt"):
        await agent.call("ask", q=tmp_path / "nothing.txt")
    with pytest.raises(FileNotFoundError):
        await agent.execute("ask", {"q": tmp_path / "nothing.txt"})


async def test_files_that_the_caller_may_not_read_stay_closed(runtime):
    agent, _, _ = asking(port="Binary", runtime=runtime)
    await Agent("Eve", runtime=runtime).storage.write("secret.txt", b"x")
    outcome = await agent.execute("ask", {"q": "smythfs://default.team/eve/secret.txt"}, caller=Candidate.user("ann"))
    assert not outcome.has_result
    assert len(outcome.failures) == 1


async def test_the_caller_is_the_agent_unless_one_is_given(runtime):
    agent, _, _ = asking(runtime=runtime)
    assert seen(await agent.call("ask", q="x"))["caller"] == "agent:bob"
    outcome = await agent.execute("ask", {"q": "x"}, caller=Candidate.user("ann"), headers={"X-Test": "1"}, session="s")
    found = seen(outcome.data)
    assert (found["caller"], found["session"]) == ("user:ann", "s")
    assert found["headers"] == {"X-Test": "1"}


async def test_an_endpoint_that_a_chat_calls_sees_the_chat(make_runtime: MakeRuntime):
    made, llm = make_runtime(calls("ask", q="x"), "Done.")
    async with made as runtime:
        agent, _, _ = asking(runtime=runtime)
        await agent.chat("tea-time").prompt("How do you do?")
    found = seen(json.loads(llm.requests[1].messages[-1].text))
    assert found["session"] == "tea-time"
    assert found["said"][0] == "How do you do?"


async def test_a_call_outside_a_conversation_sees_none(runtime):
    agent, _, _ = asking(runtime=runtime)
    await agent.prompt("Hi")
    assert seen(await agent.call("ask", q="x"))["said"] == []


async def test_behavior_and_model_may_change_between_two_calls(runtime):
    agent, _, _ = asking(runtime=runtime, behavior="Be kind.", model="one")
    before = seen(await agent.call("ask", q="x"))
    agent.behavior, agent.model = "Be brief.", "two"
    after = seen(await agent.call("ask", q="x"))
    assert [(found["behavior"], found["model"]) for found in (before, after)] == [
        ("Be kind.", "one"),
        ("Be brief.", "two"),
    ]


async def test_what_only_fails_is_raised(runtime):
    agent, _, part = asking(Break, runtime=runtime)
    with pytest.raises(StepFailedError, match=r"'ask' failed: Break \(BREAK1\): ValueError: broken on purpose"):
        await agent.call("ask", q="x")
    Component.APIOutput(format="minimal").connect(oops=part.out["_error"])
    assert await agent.call("ask", q="x") == {"oops": "ValueError: broken on purpose"}


async def test_what_only_fails_says_what_to_do_about_it(runtime):
    agent = Agent("Signer", runtime=runtime)
    entry = agent.endpoint("sign", inputs={"q": str})
    Component.FSign(key="{{KEY(hook)}}").connect(Data=entry.out.body.q)
    with pytest.raises(StepFailedError, match="hook") as caught:
        await agent.call("sign", q="x")
    advised, _, _ = str(caught.value.hint).partition("; or link the port `_error` of a node")
    (failure,) = (await agent.execute("sign", {"q": "x"})).failures
    assert advised
    assert failure.hint == advised


async def test_what_waits_in_vain_is_raised_with_what_it_waits_for(runtime):
    agent, entry, part = asking(runtime=runtime)
    part.connect(more=entry.input("more", optional=True).out.body.more)
    with pytest.raises(WorkflowError, match=r"Look \(LOOK1\) waits for 'more' from ask"):
        await agent.call("ask", q="x")
    outcome = await agent.execute("ask", {"q": "x"})
    assert (outcome.data, outcome.has_result) == ([], False)
    assert list(outcome.waiting[0].missing) == ["more"]


async def test_a_call_without_the_arguments_that_fire_its_links_is_raised(runtime):
    agent, _, _ = asking(runtime=runtime)
    with pytest.raises(WorkflowError, match="no link of the endpoint fired") as caught:
        await agent.call("ask", qq="x")
    assert caught.value.hint == "its inputs: q; its links take: body.q"


async def test_what_the_links_of_an_endpoint_take_is_told_where_nothing_declares_it(runtime):
    agent = Agent("Bob", runtime=runtime)
    entry = agent.endpoint("ask").output("first", path="body.items[0]")
    Component.of(Look).connect(a=entry.out.body.y, b=entry.out.first)
    with pytest.raises(WorkflowError, match="no link of the endpoint fired") as caught:
        await agent.call("ask", x="x")
    assert caught.value.hint == "its inputs: none; its links take: body.y, body.items[0]"


async def test_compat_returns_an_empty_list_where_nodes_wait(runtime):
    agent = Agent.load(document(), compat=Compat(silent_failures=True), runtime=runtime)
    assert await agent.call("greet") == []


async def test_compat_returns_an_error_as_a_result(runtime, tmp_path):
    built, entry, _ = asking()
    Component.JSONFilter().connect(Input=entry.out.body.q)
    built.save(tmp_path / "built.smyth")
    agent = Agent.load(tmp_path / "built.smyth", compat=Compat(silent_failures=True), runtime=runtime)
    found = await agent.call("ask", q="x")
    assert all(list(one["result"]) == ["_error"] for one in found), "both are errors: Look is no component of files"


async def test_a_model_that_fails_is_told_with_how_to_take_another(runtime):
    agent = Agent("Writer", runtime=runtime)
    entry = agent.endpoint("write", inputs={"q": str})
    Component.GenAILLM(model="no-such/model", prompt="{{q}}").connect(q=entry.out.body.q)
    with pytest.raises(StepFailedError) as caught:
        await agent.call("write", q="x")
    assert "models={'no-such/model': …}, on the command line --models no-such/model=…" in str(caught.value.hint)


async def test_arguments_without_a_name_are_refused(runtime):
    agent, _, _ = asking(runtime=runtime)
    with pytest.raises(SkillError, match="names must be text"):
        await agent.skills["ask"].call({1: "x"})


async def test_an_unknown_endpoint_is_named_with_the_known_ones(runtime):
    agent, _, _ = asking(runtime=runtime)
    with pytest.raises(SkillError, match="agent 'bob' has no endpoint 'aks'") as caught:
        await agent.execute("aks")
    assert caught.value.hint == "its endpoints: ask"


async def test_twenty_calls_at_once_do_not_mix(runtime):
    agent, _, _ = asking(runtime=runtime)
    found = await asyncio.gather(*(agent.call("ask", q=str(number)) for number in range(20)))
    assert [seen(one)["inputs"]["q"] for one in found] == [str(number) for number in range(20)]


async def test_an_agent_works_in_several_runtimes_at_once(make_runtime: MakeRuntime):
    agent, _, _ = asking()
    (one, _), (two, _) = make_runtime("x"), make_runtime("x")
    async with one, two:
        for runtime in (one, two, one):
            with working_in(runtime):
                assert seen(await agent.call("ask", q="x"))["inputs"] == {"q": "x"}


async def test_nothing_is_kept_of_a_runtime_that_closed(echo_project):
    opened = []

    class Remember(Look):
        async def run(self, inputs, context):
            opened.append(weakref.ref(context.host.runtime))
            return await super().run(inputs, context)

    agent, _, _ = asking(Remember)
    for _ in range(3):
        await agent.call("ask", q="x")
    gc.collect()
    assert [runtime() for runtime in opened] == [None, None, None]


async def test_a_runtime_keeps_no_agent_that_is_gone(runtime):
    agent, _, _ = asking(runtime=runtime)
    await agent.call("ask", q="x")
    gone = weakref.ref(agent)
    del agent
    gc.collect()
    assert gone() is None


async def test_a_workflow_that_is_built_on_runs_with_what_is_new(runtime):
    agent, entry, _ = asking(runtime=runtime)
    assert (await agent.call("ask", q="x"))["name"] == "Look"
    Component.FHash(title="More").connect(Data=entry.out.body.q)
    assert {one["name"] for one in await agent.call("ask", q="x")} == {"Look", "FHash"}


async def test_a_debugger_is_ready_for_each_of_several_branches(runtime):
    agent, entry, _ = asking(runtime=runtime)
    more = [Component.FHash().connect(Data=entry.out.body.q) for _ in range(3)]
    last = Component.APIOutput()
    for part in more:
        last.connect(all=part.out.Hash)
    seen_nodes = []
    async with agent.debug("ask", {"q": "x"}) as session:
        while await session.ready():
            seen_nodes.append((await session.step()).node_id)
    assert seen_nodes == ["APIENDPOINT1", "LOOK1", "FHASH1", "FHASH2", "FHASH3", "APIOUTPUT1"]


async def test_steps_and_text_that_passes_through_reach_the_stream_of_the_prompt(make_runtime: MakeRuntime):
    made, _ = make_runtime(calls("ask", q="x"), "Streamed by the node.", "Done.")
    async with made as runtime:
        agent = Agent("Bob", runtime=runtime)
        entry = agent.endpoint("ask", inputs={"q": str})
        Component.GenAILLM(model="default", prompt="{{Input}}", passthrough=True).connect(Input=entry.out.body.q)
        async with agent.prompt("Go").stream() as events:
            found = [event async for event in events]
    within = found[: next(index for index, event in enumerate(found) if isinstance(event, SkillReturned))]
    assert [event.node_id for event in within if isinstance(event, StepStarted)] == ["APIENDPOINT1", "GENAILLM1"]
    assert "".join(event.text for event in within if isinstance(event, TextDelta)) == "Streamed by the node."


@pytest.mark.parametrize("how", ["call", "execute", "prompt"])
async def test_a_plugin_hears_each_step_once(make_runtime: MakeRuntime, how):
    observer, own = Observer(), []

    async def hear(event):
        own.append(event)

    made, _ = make_runtime(calls("ask", q="x"), "Done.", plugin=observer)
    async with made as runtime:
        agent, _, _ = asking(runtime=runtime)
        if how == "call":
            await agent.call("ask", q="x")
        elif how == "execute":
            await agent.execute("ask", {"q": "x"}, emit=hear)
        else:
            async with agent.prompt("Go").stream() as events:
                own = [event async for event in events]
    ends = [[event.node_id for event in heard if isinstance(event, StepFinished)] for heard in (observer.events, own)]
    assert ends[0] == ["APIENDPOINT1", "LOOK1"]
    assert ends[1] == ([] if how == "call" else ends[0])


async def test_a_skill_of_a_file_runs_without_any_runtime_of_its_own(echo_project: Path):
    found = await Agent.load(document()).call("greet", who="Ada")
    assert found == {"id": "HASH", "name": "FHash", "result": {"Hash": hashlib.md5(b"Ada").hexdigest()}}


async def test_another_model_is_no_advice_for_what_is_not_about_the_model(runtime):
    agent = Agent("Writer", runtime=runtime)
    entry = agent.endpoint("write", inputs={"q": str})
    Component.GenAILLM(model="scripted", prompt="{{KEY(nobodys)}}").connect(q=entry.out.body.q)
    with pytest.raises(StepFailedError) as caught:
        await agent.call("write", q="x")
    assert "--models" not in str(caught.value.hint)
