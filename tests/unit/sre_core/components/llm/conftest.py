"""A workbench whose model plays a script."""

from contextlib import asynccontextmanager

import pytest

from sre_core.plugins import Plugins
from sre_core.testing.bench import bench


@pytest.fixture
def scripted():
    """A bench for a ScriptedLLM, which is the agent's model: `async with scripted(ScriptedLLM("Hello.")) as b`."""

    @asynccontextmanager
    async def open_bench(llm, **options):
        plugins = Plugins.load(only=[], extra={"scripted": llm.as_plugin()})
        config = {"connectors": {"llm": {"default": {"use": "scripted"}}}}
        async with bench(plugins=plugins, config=config, model="scripted", **options) as opened:
            yield opened

    return open_bench
