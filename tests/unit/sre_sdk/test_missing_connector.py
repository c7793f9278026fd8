"""A connector that is not installed: the person who runs the agent hears of it, not the model."""

from pathlib import Path

import pytest

from sre_core.config import load
from sre_core.errors import UnknownConnectorError
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime
from sre_sdk import Agent, SkillContext


async def note(text: str, context: SkillContext) -> str:
    """Note a text."""
    await context.storage.write("note", text)
    return "noted"


def length(text: str) -> int:
    """Count the characters of a text."""
    return len(text)


def runtime_without_vectors(folder: Path) -> Runtime:
    connectors = {"llm": {"default": {"use": "echo"}}, "vectors": {"default": {"use": "milvus"}}}
    config = load(folder, {}, {"data": str(folder), "connectors": connectors}).config
    return Runtime(config, plugins=Plugins.load(only=[]))


async def test_a_run_whose_skill_needs_handles_ends_with_the_package_to_install(tmp_path: Path) -> None:
    async with runtime_without_vectors(tmp_path) as runtime:
        with pytest.raises(UnknownConnectorError) as caught:
            await Agent("a", skills=[note], runtime=runtime).prompt('call note {"text": "hi"}')
    assert caught.value.hint == "pip install sre-milvus"


async def test_a_skill_without_a_context_runs_all_the_same(tmp_path: Path) -> None:
    async with runtime_without_vectors(tmp_path) as runtime:
        assert await Agent("a", skills=[length], runtime=runtime).prompt('call length {"text": "four"}') == "4"
