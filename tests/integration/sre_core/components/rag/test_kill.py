"""An indexing whose process is killed half-way leaves the old text whole, and the next one cleans up."""

import signal
import sys
from pathlib import Path

import anyio
import pytest

from sre_core.testing.bench import bench
from tests.unit.sre_core.components.rag.embedders import connector, plugins_with

pytestmark = pytest.mark.integration

PROGRAM = """
import asyncio, os, signal, sys
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.rag.embedders import connector, plugins_with

async def before(texts):
    if any("new 300" in text for text in texts):
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    config = {"connectors": {"vectors": {"default": {"use": "memory", "folder": sys.argv[1]}}}}
    async with bench(plugins=plugins_with(connector("echo2", before=before)), model="echo2", config=config) as b:
        for word in ("old", "new"):
            text = "".join(f"{word} {n}\\n" for n in range(400))
            data = {"namespace": "docs", "id": "x", "chunkSize": 20, "chunkOverlap": 0}
            await b.run("DataSourceIndexer", data, inputs={"Source": text})

asyncio.run(main())
"""
ROOT = Path(__file__).parents[5]


async def test_a_kill_half_way_leaves_the_old_text_whole(tmp_path):
    with anyio.fail_after(60):
        done = await anyio.run_process([sys.executable, "-c", PROGRAM, str(tmp_path)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    config = {"connectors": {"vectors": {"default": {"use": "memory", "folder": str(tmp_path)}}}}
    lookup = {"namespace": "docs", "topK": 1000, "scoreThreshold": -1, "embeddingModel": "echo2"}
    async with bench(plugins=plugins_with(connector("echo2")), model="echo2", config=config) as b:
        found = (await b.run("DataSourceLookup", lookup, inputs={"Query": "old"}))["Results"]
        lines = {line for text in found for line in text.splitlines()}
        assert {f"old {n}" for n in range(400)} < lines
        assert "new 0" in lines
        data = {"namespace": "docs", "id": "x", "version": "v1"}
        await b.run("DataSourceIndexer", data, inputs={"Source": "newest"})
        assert (await b.run("DataSourceLookup", lookup, inputs={"Query": "old"}))["Results"] == ["newest"]
