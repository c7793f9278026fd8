"""One prompt at the end of a conversation of 500 messages."""

from benchmarks.bench import Bench
from benchmarks.result import Bar, Row, ratio

__all__ = ["measure"]

# SmythOS does not run in Python. On the reference machine it took 16 ms where agno took 70.
_SMYTHOS = 16 / 70


def measure(bench: Bench) -> list[Row]:
    """CPU time of a turn."""
    found = bench.rounds("history", count=bench.count(20), rounds=bench.count(9))
    cpu = {side: [answer["cpu"] * 1e3 for answer in answers] for side, answers in found.items()}
    bars = (
        Bar(
            against="agno",
            ratio=ratio(cpu, "ours", "agno"),
            bar=round(0.4 * _SMYTHOS, 3),
            note="0.4 x SmythOS, by way of agno",
        ),
        Bar(against="bare", ratio=ratio(cpu, "ours", "bare"), goal=5),
    )
    return [Row(name="turn with 500 messages", unit="CPU ms", samples=cpu, bars=bars)]
