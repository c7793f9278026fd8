"""Objects larger than the memory that they may take."""

import hashlib
import tracemalloc
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from .aws_server import Moto  # noqa: TID252 -- the folder of tests is no package

pytestmark = [pytest.mark.anyio, pytest.mark.integration, pytest.mark.slow]

_MIB = 1 << 20
_PIECES = 256


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_quarter_of_a_gibibyte_goes_through_in_a_fraction_of_its_memory(moto: Moto) -> None:
    storage = moto.s3()
    await storage.start()
    sent, received = hashlib.sha256(), hashlib.sha256()

    async def chunks() -> AsyncGenerator[bytes]:
        for number in range(_PIECES):
            chunk = bytes([number]) * _MIB
            sent.update(chunk)
            yield chunk

    tracemalloc.start()
    try:
        info = await storage.write_stream("agent/large/object", chunks())
        # Three parts of eight mebibytes on their way, one that is gathered, and their copies at the socket.
        assert tracemalloc.get_traced_memory()[1] < 100 * _MIB
        tracemalloc.reset_peak()
        async with aclosing(storage.read_stream("agent/large/object")) as pieces:
            async for piece in pieces:
                received.update(piece)
        assert tracemalloc.get_traced_memory()[1] < 20 * _MIB
    finally:
        tracemalloc.stop()
    assert info.size == _PIECES * _MIB
    assert sent.digest() == received.digest()
    await storage.delete("agent/large/object")
    await storage.stop()
