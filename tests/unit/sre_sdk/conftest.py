"""A runtime in memory whose model plays a script."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from sre_core.config import Config
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime
from sre_core.testing.scripted import ScriptedLLM, ScriptedReply
from sre_sdk.sync import SyncRuntime

MakeRuntime = Callable[..., tuple[Runtime, ScriptedLLM]]


@pytest.fixture
def make_runtime(tmp_path: Path) -> MakeRuntime:
    """Makes a runtime, not yet open, and the script that its default model plays."""

    def make(*replies: ScriptedReply, repeat: bool = False, plugin: object = None) -> tuple[Runtime, ScriptedLLM]:
        llm = ScriptedLLM(*replies, repeat=repeat)
        config, plugins = _in_memory(tmp_path, llm)
        if plugin is not None:
            plugins.register("plugin", plugin)
        return Runtime(config, plugins=plugins), llm

    return make


@pytest.fixture
def make_sync_runtime(tmp_path: Path) -> Callable[..., SyncRuntime]:
    """Makes a SyncRuntime, not yet open, whose default model plays a script."""

    def make(*replies: ScriptedReply, repeat: bool = False) -> SyncRuntime:
        config, plugins = _in_memory(tmp_path, ScriptedLLM(*replies, repeat=repeat))
        return SyncRuntime(config, plugins=plugins)

    return make


def _in_memory(folder: Path, llm: ScriptedLLM) -> tuple[Config, Plugins]:
    plugins = Plugins()
    plugins.register("script", llm.as_plugin())
    connectors = {"llm": {"default": {"use": "scripted"}}, "storage": {"default": {"use": "memory"}}}
    return Config.model_validate({"data": folder / "data", "connectors": connectors}), plugins


@pytest.fixture
async def runtime(make_runtime: MakeRuntime) -> AsyncIterator[Runtime]:
    """An open runtime whose model always answers "Hello there."."""
    made, _ = make_runtime("Hello there.", repeat=True)
    async with made as opened:
        yield opened


@pytest.fixture
def echo_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with an sre.toml whose default model is echo."""
    (tmp_path / "sre.toml").write_text('[connectors.llm.default]\nuse = "echo"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path
