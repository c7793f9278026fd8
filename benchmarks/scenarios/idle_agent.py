"""What one more agent weighs that does nothing."""

from benchmarks.bench import Bench
from benchmarks.result import Bar, Row, ratio

__all__ = ["measure"]


def measure(bench: Bench) -> list[Row]:
    """KB that Python allocates for each of many agents which share one skill."""
    found = bench.rounds("idle", count=bench.count(2000), rounds=bench.count(20) // 10 or 1)
    size = {side: [answer["bytes"] / 1024 for answer in answers] for side, answers in found.items()}
    ours = size["ours"][-1]
    bars = (
        Bar(against="1 KB", ratio=ours, bar=6, goal=3),
        Bar(against="agno", ratio=ratio(size, "ours", "agno")),
    )
    return [Row(name="one more idle agent", unit="KB", samples=size, bars=bars)]
