"""Agents that ask each other: each acts as itself, and opens no file for a caller that he could not open."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from sre_core.components.base import Component as BaseComponent
from sre_core.components.files import read_file
from sre_core.components.node import OutputPort
from sre_core.runtime import Runtime
from sre_sdk import Agent, Candidate, Component, Limits, SkillContext
from tests.unit.sre_sdk.conftest import MakeRuntime
from tests.unit.sre_sdk.flows import Look

EVE = Candidate.user("eve")


class Read(BaseComponent):
    """The text of a file."""

    name = "Read"
    outputs = (OutputPort(name="Text", default=True),)
    open_inputs = True

    async def run(self, inputs: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        return {"Text": (await read_file(inputs["file"], context)).data.decode()}


@pytest.fixture
async def runtime(make_runtime: MakeRuntime) -> AsyncIterator[Runtime]:
    config = make_runtime()[0].config
    connectors = {**config.connectors, "llm": {"default": {"use": "echo"}}}
    async with Runtime(type(config).model_validate({**config.model_dump(), "connectors": connectors})) as opened:
        yield opened


def keeper(runtime: Runtime) -> Agent:
    """An agent whose skill `show(file)` reads a file."""
    agent = Agent("Keeper", runtime=runtime)
    entry = agent.endpoint("show", inputs={"file": "Any"})
    Component.of(Read).connect(file=entry.out.body.file)
    return agent


def asking(runtime: Runtime, *others: Agent) -> Agent:
    """An agent whose skill `ask(q)` asks the first of the others."""
    plugin = {
        "id": "NEXT",
        "name": "AgentPlugin",
        "data": {"agentId": others[0].id},
        "inputs": [{"name": "Prompt", "type": "Text"}],
        "outputs": [{"name": "Response", "default": True}],
    }
    entry = {
        "id": "IN",
        "name": "APIEndpoint",
        "data": {"endpoint": "ask", "method": "POST"},
        "inputs": [{"name": "q", "type": "Any"}],
        "outputs": [{"name": "body", "default": True}, {"name": "body.q"}],
    }
    link = {"sourceId": "IN", "sourceIndex": 1, "targetId": "NEXT", "targetIndex": 0}
    file = {"id": "asking", "name": "Asking", "components": [entry, plugin], "connections": [link]}
    return Agent.load(file, agents=others, runtime=runtime)


def answer(outcome: Any) -> str:
    return json.dumps(outcome.data)


async def test_an_agent_opens_no_file_for_a_caller_who_comes_through_another_agent(runtime: Runtime) -> None:
    last = keeper(runtime)
    await last.storage.write("notes.txt", "the secret of the keeper")
    first = asking(runtime, last)
    prompt = f"call show {json.dumps({'file': f'smythfs://{last.id}.agent/notes.txt'})}"
    for caller in (EVE, None):
        outcome = await first.execute("ask", {"q": prompt}, caller=caller)
        assert "secret" not in answer(outcome)
    assert "secret" in answer(await last.execute("show", {"file": f"smythfs://{last.id}.agent/notes.txt"}))


async def test_an_agent_opens_for_a_caller_what_is_his_through_another_agent(runtime: Runtime) -> None:
    await runtime.storage(EVE).write("mine.txt", "what eve wrote")
    prompt = f"call show {json.dumps({'file': 'smythfs://eve.user/mine.txt'})}"
    first = asking(runtime, keeper(runtime))
    assert "what eve wrote" in answer(await first.execute("ask", {"q": prompt}, caller=EVE))
    assert "what eve wrote" not in answer(await first.execute("ask", {"q": prompt}))


async def test_a_skill_in_python_of_another_agent_gets_the_handles_of_its_own_agent(runtime: Runtime) -> None:
    def who(context: SkillContext, word: str) -> str:
        """Say who."""
        return f"{word} {context.candidate}"

    first = asking(runtime, Agent("Clerk", skills=[who], runtime=runtime))
    assert "I am agent:clerk" in answer(await first.execute("ask", {"q": 'call who {"word": "I am"}'}))


async def test_who_called_before_is_forgotten_when_the_workflow_ended(runtime: Runtime) -> None:
    agent = Agent("Bob", runtime=runtime)
    entry = agent.endpoint("ask", inputs={"q": str})
    Component.of(Look).connect(q=entry.out.body.q)
    await agent.execute("ask", {"q": "x"}, caller=EVE)
    assert (await agent.call("ask", q="x"))["result"]["Seen"]["caller"] == "agent:bob"


async def test_the_limits_of_an_agent_bind_the_conversations_that_its_components_begin(runtime: Runtime) -> None:
    first = asking(runtime, keeper(runtime))
    prompt = f"call show {json.dumps({'file': 'smythfs://asking.agent/mine.txt'})}"
    await first.storage.write("mine.txt", "what it wrote")
    assert "what it wrote" in answer(await first.execute("ask", {"q": prompt}))
    first.limits = Limits(skill_calls=0)
    assert "limit" in answer(await first.execute("ask", {"q": prompt}))
