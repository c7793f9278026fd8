"""Tests of the runtime that plugin authors get as a fixture."""

from pathlib import Path
from typing import Any

import pytest

from sre_core.access import Candidate
from sre_core.connectors import LLMRequest
from sre_core.messages import Message
from sre_core.runtime import Runtime

ALICE = Candidate.user("alice")


@pytest.fixture
def sre_config() -> dict[str, Any]:
    return {
        "connectors": {"cache": {"lasting": {"use": "sqlite", "path": "cache.db"}}},
        "teams": {"red": ["user:alice"]},
    }


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_the_runtime_of_the_fixture_works_in_memory(sre_runtime: Runtime, tmp_path: Path) -> None:
    await sre_runtime.storage(ALICE).write("notes.txt", "hello")
    assert await sre_runtime.storage(ALICE).read_text("notes.txt") == "hello"
    request = LLMRequest(messages=(Message.user("ping"),))
    reply = await sre_runtime.llm(ALICE).complete(request)
    assert "ping" in reply.message.text
    assert files_in(tmp_path) == []


async def test_the_runtime_of_the_fixture_can_be_configured(sre_runtime: Runtime, tmp_path: Path) -> None:
    await sre_runtime.cache(ALICE, "lasting").set("key", 1)
    assert await sre_runtime.cache(ALICE, "lasting").get("key") == 1
    assert (tmp_path / "cache.db").exists()
    assert sre_runtime.config.teams == {"red": ("user:alice",)}
