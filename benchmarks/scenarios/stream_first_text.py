"""How long the first piece of a streamed answer takes from the server's hands to the reader's."""

from benchmarks.bench import Bench
from benchmarks.result import Bar, Row, ratio

__all__ = ["measure"]


def measure(bench: Bench) -> list[Row]:
    """Wall time, since nobody computes while it travels."""
    found = bench.rounds("first_text", count=bench.count(40), rounds=bench.count(15))
    delay = {side: [answer["seconds"] * 1e3 for answer in answers] for side, answers in found.items()}
    bars = (
        Bar(against="agno", ratio=ratio(delay, "ours", "agno"), bar=0.6),
        Bar(against="bare", ratio=ratio(delay, "ours", "bare"), goal=2),
    )
    return [Row(name="first text of a stream", unit="ms after", samples=delay, bars=bars)]
