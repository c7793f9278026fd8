"""The side called ours: a handle of a runtime, with the guard and all that every user has."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sre_core.access.candidate import Candidate
from sre_core.config import load
from sre_core.runtime import Runtime

__all__ = ["AGENT", "runtime_with"]

AGENT = Candidate.agent("bench")
"""Who asks."""


@asynccontextmanager
async def runtime_with(service: str, folder: Path, **entry: Any) -> AsyncIterator[Runtime]:
    """A runtime whose default connector of `service` is that of `entry`, as it would stand in `sre.toml`."""
    connectors: Mapping[str, Any] = {service: {"default": entry}}
    access = {"vault": {str(AGENT): "own"}}
    config = load(folder, {}, {"data": str(folder / "data"), "connectors": connectors, "access": access}).config
    async with Runtime(config) as runtime:
        yield runtime
