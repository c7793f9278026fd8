"""What goes on after a call, and what is cancelled with it: jobs, debuggers, tasks."""

import asyncio
import json
from typing import ClassVar

import pytest

from sre_core.components.base import Component as BaseComponent
from sre_core.components.node import OutputPort
from sre_core.messages import Message, SkillCall
from sre_sdk import Agent, Component
from tests.unit.sre_sdk.conftest import MakeRuntime
from tests.unit.sre_sdk.flows import Look, asking, document


def calls(name: str, **arguments) -> Message:
    return Message.assistant(skill_calls=(SkillCall(id="1", name=name, arguments=json.dumps(arguments)),))


class Wait(BaseComponent):
    """Waits until it is let go, and says whether it was."""

    name = "Wait"
    outputs = (OutputPort(name="Done", default=True),)
    open_inputs = True
    begun: asyncio.Event
    go: asyncio.Event
    ends: ClassVar[list]

    async def run(self, inputs, context):
        self.begun.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.ends.append("cancelled")
            raise
        self.ends.append("done")
        return {"Done": True}


@pytest.fixture
def waiting():
    """A Wait of this test's own."""

    class Own(Wait):
        begun = asyncio.Event()
        go = asyncio.Event()
        ends: ClassVar[list] = []

    return Own


async def test_leaving_the_agent_waits_for_jobs_and_an_error_cancels_them(echo_project, waiting):
    agent = jobs(waiting)
    async with agent:
        await agent.call("ask", q="x")
        await waiting.begun.wait()
        asyncio.get_running_loop().call_soon(waiting.go.set)
    assert waiting.ends == ["done"]
    waiting.begun.clear()
    waiting.go.clear()
    with pytest.raises(LookupError):
        await failing(agent, waiting)
    assert waiting.ends == ["done", "cancelled"]


def jobs(kind, **options):
    """An agent whose skill starts a job with a component, and returns at once."""
    agent = Agent("Bob", **options)
    entry = agent.endpoint("ask", inputs={"q": str})
    fork = Component.Async().connect(q=entry.out.body.q)
    Component.of(kind).connect(q=fork.out.q)
    Component.APIOutput(format="minimal").connect(id=fork.out.JobID)
    return agent


async def failing(agent, waiting):
    async with agent:
        await agent.call("ask", q="x")
        await waiting.begun.wait()
        raise LookupError


async def test_leaving_a_debugger_lets_the_jobs_go_that_stand_before_a_node(echo_project, waiting):
    waiting.go.set()
    async with asyncio.timeout(60), jobs(waiting) as agent, agent.debug("ask", {"q": "x"}) as session:
        while await session.ready() and "WAIT1" not in {record.node_id for record in session.pending}:
            await session.step()
    assert waiting.ends == ["done"]


async def test_a_job_may_use_another_agent_while_the_runtime_closes(make_runtime: MakeRuntime):
    answers = []

    class Asking(Look):
        name = "Asking"

        async def run(self, inputs, context):
            await asyncio.sleep(0)
            other = await context.host.sub_agent("other")
            answers.append(await other.skills["greet"].call({"who": "Ada"}))
            return {"Seen": True}

    made, _ = make_runtime("x")
    async with made as runtime:
        other = Agent.load(document(), id="other", runtime=runtime)
        agent = Agent.load({"id": "bob", "components": [], "connections": []}, agents=[other], runtime=runtime)
        entry = agent.endpoint("ask", inputs={"q": str})
        fork = Component.Async().connect(q=entry.out.body.q)
        Component.of(Asking).connect(q=fork.out.q)
        await agent.execute("ask", {"q": "x"})
        await other.call("greet", who="Bob")
    assert [answer["name"] for answer in answers] == ["FHash"]


async def test_a_call_that_is_cancelled_cancels_the_node(runtime, waiting):
    agent, _, _ = asking(waiting, runtime=runtime)
    task = asyncio.create_task(agent.call("ask", q="x"))
    await waiting.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert waiting.ends == ["cancelled"]


async def test_a_job_that_a_prompt_began_goes_on_after_its_stream(make_runtime: MakeRuntime, waiting):
    made, _ = make_runtime(calls("ask", q="x"), "Done.")
    async with made as runtime:
        agent = jobs(waiting, runtime=runtime)
        async with agent.prompt("Go").stream() as events:
            kinds = [event.type async for event in events]
        assert kinds[-1] == "run_finished"
        waiting.go.set()
    assert waiting.ends == ["done"]
