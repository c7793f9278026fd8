"""A cache in Redis against redis.asyncio: one value written and read back."""

from pathlib import Path

import redis.asyncio

from benchmarks.connectors.contest import AT_ONCE, Contest
from benchmarks.connectors.runtime import AGENT, runtime_with
from benchmarks.result import Row
from sre_core.testing.servers import ServerProcess, find_server, free_port

__all__ = ["measure"]

_VALUE = b"x" * 100


async def measure(contest: Contest, folder: Path) -> list[Row]:
    """On a server of its own that keeps nothing on disk."""
    port = free_port()
    command = [find_server("redis-server", hint="apt install redis-server"), "--port", str(port), "--save", ""]
    with ServerProcess(command, port=port, folder=folder):
        async with (
            runtime_with("cache", folder, use="redis", port=port) as runtime,
            redis.asyncio.Redis(port=port, max_connections=AT_ONCE) as client,
        ):
            cache = runtime.cache(AGENT)

            async def ours(number: int) -> None:
                await cache.set(f"key-{number}", _VALUE)
                assert await cache.get_bytes(f"key-{number}") == _VALUE

            async def bare(number: int) -> None:
                await client.set(f"key-{number}", _VALUE)
                assert await client.get(f"key-{number}") == _VALUE

            return await contest.rows("redis: set and get", ours=ours, bare=bare)
