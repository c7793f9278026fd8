"""One prompt with one skill call: two calls of the model, and the skill between them."""

from benchmarks.bench import Bench
from benchmarks.result import Bar, Row, ratio

__all__ = ["measure"]


def measure(bench: Bench) -> list[Row]:
    """CPU and wall time of a prompt."""
    found = bench.rounds("skill", count=bench.count(100), rounds=bench.count(15))
    cpu = {side: [answer["cpu"] * 1e3 for answer in answers] for side, answers in found.items()}
    wall = {side: [answer["wall"] * 1e3 for answer in answers] for side, answers in found.items()}
    bars = (
        Bar(against="agno", ratio=ratio(cpu, "ours", "agno"), bar=0.5),
        Bar(against="bare", ratio=ratio(cpu, "ours", "bare"), goal=2.5),
    )
    return [
        Row(name="skill turn", unit="CPU ms", samples=cpu, bars=bars),
        Row(name="skill turn", unit="wall ms", samples=wall),
    ]
