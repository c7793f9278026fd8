"""`async with` around code that is not async."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from sre_cli.blocks import opened


def test_the_block_is_open_in_between_and_learns_how_it_ended():
    ends = []

    @asynccontextmanager
    async def block():
        try:
            yield asyncio.get_running_loop()
        except BaseException as error:
            ends.append(type(error))
            raise
        ends.append(None)

    with asyncio.Runner() as runner:
        with opened(runner, block()) as loop:
            assert loop is runner.get_loop()
            assert ends == []
        for kind in (LookupError, KeyboardInterrupt):
            with pytest.raises(kind), opened(runner, block()):
                raise kind
    assert ends == [None, LookupError, KeyboardInterrupt]
