"""One plain prompt over a server on loopback."""

from benchmarks.bench import Bench
from benchmarks.result import Bar, Row, ratio

__all__ = ["measure"]


def measure(bench: Bench) -> list[Row]:
    """CPU and wall time of a turn."""
    found = bench.rounds("prompt", count=bench.count(200), rounds=bench.count(15))
    cpu = {side: [answer["cpu"] * 1e3 for answer in answers] for side, answers in found.items()}
    wall = {side: [answer["wall"] * 1e3 for answer in answers] for side, answers in found.items()}
    bars = (
        Bar(against="agno", ratio=ratio(cpu, "ours", "agno"), bar=0.6),
        Bar(against="bare", ratio=ratio(cpu, "ours", "bare"), goal=2),
    )
    return [
        Row(name="plain prompt turn", unit="CPU ms", samples=cpu, bars=bars),
        Row(name="plain prompt turn", unit="wall ms", samples=wall),
    ]
