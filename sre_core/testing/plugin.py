"""The pytest plugin that `sre-runtime[testing]` brings; it must import at once, for every pytest of its users."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sre_core.runtime import Runtime

__all__ = ["sre_config", "sre_runtime"]

# Before a kit is imported, so that its plain assertions say what they compared.
pytest.register_assert_rewrite("sre_core.testing.conformance")


@pytest.fixture
def sre_config() -> dict[str, Any]:
    """What `sre_runtime` is configured with; override it to add connectors, teams or access."""
    return {}


@pytest.fixture
async def sre_runtime(tmp_path: Path, sre_config: dict[str, Any]) -> "AsyncIterator[Runtime]":
    """A runtime that keeps to memory, answers with the echo model, and reads no file or variable of the user's."""
    from sre_core.config import load
    from sre_core.runtime import Runtime

    memory = {service: {"default": {"use": "memory"}} for service in ("storage", "vectors", "cache")}
    base = {"data": str(tmp_path), "connectors": {"llm": {"default": {"use": "echo"}}, **memory}}
    config = load(tmp_path, {}, _merged(base, sre_config)).config
    async with Runtime(config) as runtime:
        yield runtime


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    both = {name: _merged(base[name], over[name]) for name in base if isinstance(over.get(name), dict)}
    return {**base, **over, **both}
