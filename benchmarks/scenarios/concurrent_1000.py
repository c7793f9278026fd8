"""1,000 prompts at once, to a server that takes 100 ms for each."""

from benchmarks.bench import Bench
from benchmarks.result import Bar, Row, ratio

__all__ = ["measure"]

# SmythOS does not run in Python. On the reference machine it made 363 turns a second where agno made 224.
_SMYTHOS = 363 / 224


def measure(bench: Bench) -> list[Row]:
    """Turns per second, their CPU time, and the peak memory of a process that did nothing else."""
    found = bench.rounds("crowd", count=bench.count(1000), rounds=bench.count(15), fresh=True)
    rate = {side: [answer["rate"] for answer in answers] for side, answers in found.items()}
    cpu = {side: [1000 * answer["cpu"] for answer in answers] for side, answers in found.items()}
    peak = {side: [answer["peak"] / 2**20 for answer in answers] for side, answers in found.items()}
    bars = (
        Bar(
            against="agno",
            ratio=ratio(rate, "ours", "agno"),
            bar=round(3 * _SMYTHOS, 2),
            at_least=True,
            note="3 x SmythOS, by way of agno",
        ),
        Bar(against="bare", ratio=ratio(rate, "ours", "bare"), goal=0.6, at_least=True),
    )
    # Wall time has to share the cores with the server; this tells what the client itself costs.
    spent = (
        Bar(against="agno", ratio=ratio(cpu, "ours", "agno")),
        Bar(against="bare", ratio=ratio(cpu, "ours", "bare")),
    )
    memory = (
        Bar(against="agno", ratio=ratio(peak, "ours", "agno"), bar=0.8),
        Bar(against="bare", ratio=ratio(peak, "ours", "bare")),
    )
    return [
        Row(name="1,000 prompts at once", unit="turns/s", samples=rate, bars=bars),
        Row(name="1,000 prompts at once", unit="CPU ms", samples=cpu, bars=spent),
        Row(name="1,000 prompts at once", unit="peak MB", samples=peak, bars=memory),
    ]
