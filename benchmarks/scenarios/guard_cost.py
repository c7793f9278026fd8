"""What the guard adds to a call, and what one decision of it costs."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench
from benchmarks.result import Bar, Row
from sre_core.access.acl import Access
from sre_core.access.candidate import Candidate
from sre_core.access.guard import AccessRequest
from sre_core.access.resource import Resource
from sre_core.config import load
from sre_core.connectors.base import Service
from sre_core.plugins import Plugins
from sre_core.runtime import Runtime

__all__ = ["measure"]

_OWNER, _OTHER = Candidate.agent("owner"), Candidate.agent("other")

Call = Callable[[], Awaitable[Any]]


def measure(bench: Bench) -> list[Row]:
    """Microseconds of CPU time; the best of many rounds, since anything else is the machine's other work."""
    found = asyncio.run(_measure(bench.count(2000), bench.count(60)))
    added = [found["guarded read"][0] - found["bare read"][0]]
    read = {"ours": found["guarded read"], "bare": found["bare read"]}
    return [
        Row(
            name="guarded cache read",
            unit="CPU µs",
            samples=read,
            bars=(Bar(against="µs added", ratio=added[0], bar=25),),
        ),
        *(
            Row(
                name=name,
                unit="CPU µs",
                samples={"ours": found[name]},
                bars=(Bar(against="1 µs", ratio=found[name][0], bar=bar),),
            )
            for name, bar in (("decide in a home", 5), ("decide by an ACL three levels up", 15))
        ),
    ]


async def _measure(count: int, rounds: int) -> Mapping[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        config = load(Path(folder), {}, {"data": folder}).config
        async with Runtime(config, plugins=Plugins()) as runtime:
            cache = runtime.cache(_OWNER)
            await cache.set("a/b/c/value", b"value")
            await cache.grant("a", _OTHER, Access.READ)
            connector: Any = runtime.connectors.get(Service.CACHE).connector
            key = "agent/owner/a/b/c/value"
            resource = Resource.parse(f"cache/{key}")
            assert await connector.get(key) == await cache.get_bytes("a/b/c/value") == b"value"
            guard = runtime.guard
            calls: dict[str, Call] = {
                "bare read": lambda: connector.get(key),
                "guarded read": lambda: cache.get_bytes("a/b/c/value"),
                "decide in a home": lambda: guard.decide(AccessRequest(_OWNER, Access.READ, resource)),
                "decide by an ACL three levels up": lambda: guard.decide(AccessRequest(_OTHER, Access.READ, resource)),
            }
            best = dict.fromkeys(calls, float("inf"))
            for _ in range(rounds):
                for name, call in calls.items():
                    best[name] = min(best[name], await _microseconds(call, count))
    return {name: [value] for name, value in best.items()}


async def _microseconds(call: Call, count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        await call()
    return (time.process_time() - began) / count * 1e6
