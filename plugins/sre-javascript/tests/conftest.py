"""What the tests share: a bench, and a short way to run code on it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

import pytest

from sre_core.testing.bench import bench
from sre_javascript import ECMASandbox

RunCode = Callable[..., Awaitable[Mapping[str, Any]]]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def run() -> AsyncGenerator[RunCode]:
    """Runs code: settings by keyword, inputs as a mapping."""
    async with bench() as place:

        async def run(code: str, inputs: Mapping[str, Any] | None = None, **settings: Any) -> Mapping[str, Any]:
            return await place.run(ECMASandbox, {"code": code, "timeout": 120, **settings}, inputs=inputs)

        yield run
