"""Places for processes: two for each processor, the same ones for everybody in an event loop."""

import asyncio
import os

from sre_core.components.process_places import process_places


async def test_everybody_in_an_event_loop_shares_the_same_places() -> None:
    async def find() -> object:
        return process_places()

    assert await asyncio.create_task(find()) is process_places()
    assert process_places().total_tokens == 2 * (os.cpu_count() or 1)


def test_each_event_loop_has_its_own() -> None:
    async def find() -> object:
        return process_places()

    assert asyncio.run(find()) is not asyncio.run(find())
