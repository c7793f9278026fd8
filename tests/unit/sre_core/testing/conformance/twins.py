"""Runs a kit against connectors that are wrong on purpose."""

import asyncio
from collections.abc import Callable
from typing import Any

from sre_core.connectors import Connector
from sre_core.testing.conformance import session


async def failing(kit: type[Any], make: Callable[[], Connector] | None = None) -> set[str]:
    """The names of the tests that fail; `make` takes the place of the kit's own."""
    # A thread of its own, since pytest's run has a loop of its own.
    report = await asyncio.to_thread(session.run, lambda: kit, make)
    return {failure.test for failure in report.failed}
