"""A test whose runtime has a team."""

from typing import Any

import pytest

from sre_sdk import Agent, Candidate, Runtime

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """Agents run on asyncio."""
    return "asyncio"


@pytest.fixture
def sre_config() -> dict[str, Any]:
    """One member."""
    return {"teams": {"writers": ["agent:author"]}}


async def test_a_member_writes_into_the_home_of_the_team(sre_runtime: Runtime) -> None:
    author = Agent("Author", runtime=sre_runtime)
    draft = author.storage.of(Candidate.team("writers"))
    await draft.write("draft.txt", "Once upon a time")
    assert await draft.read_text("draft.txt") == "Once upon a time"
