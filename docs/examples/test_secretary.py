"""Tests of an agent: one with a script in the place of the model, one with the echo model."""

import pytest
from first_agent import agent, save_note

from sre_core.config import load
from sre_core.messages import Message, SkillCall
from sre_core.plugins import Plugins
from sre_core.testing import ScriptedLLM
from sre_sdk import Agent, Runtime

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Agents run on asyncio."""
    return "asyncio"


async def test_the_agent_keeps_what_the_model_wants_to_keep() -> None:
    call = SkillCall(id="1", name="save_note", arguments='{"title": "milk", "text": "Buy milk."}')
    script = ScriptedLLM(Message.assistant(skill_calls=(call,)), "Done.")
    config = load(code={"connectors": {"storage": {"default": {"use": "memory"}}}}).config
    plugins = Plugins.load(extra={"script": script.as_plugin()})
    async with Runtime(config, plugins=plugins) as runtime:
        copy = Agent(agent.name, skills=list(agent.skills.values()), model="scripted", runtime=runtime)
        assert await copy.prompt("Keep that I need milk.") == "Done."
        assert await copy.storage.read_text("notes/milk.txt") == "Buy milk."
    assert script.requests[0].messages[-1].text == "Keep that I need milk."


async def test_the_echo_model_calls_the_skill_that_the_prompt_names(sre_runtime: Runtime) -> None:
    secretary = Agent("Secretary", skills=[save_note], runtime=sre_runtime)
    reply = await secretary.prompt('call save_note {"title": "tea", "text": "Buy tea."}')
    assert reply == "kept 8 bytes"
