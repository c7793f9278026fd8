"""Eight agents with one system prompt, all at once: the prompt is read once for all of them, or eight times."""

from typing import Any

from benchmarks.local_llm.setting import Setting, column
from benchmarks.result import Bar, Row, ratio
from benchmarks.workers import Workers

__all__ = ["measure"]

_AGENTS = 8
_OWN = 100


def measure(setting: Setting) -> list[Row]:
    """CPU time on one thread until the last of them has its first token."""
    prefix = setting.size(1200, 150)
    shared: list[dict[str, dict[str, Any]]] = []
    each: list[dict[str, dict[str, Any]]] = []
    with Workers() as workers:
        setting.connectors(workers)
        workers.wait()
        for turn in range(setting.rounds(5)):
            job = {
                "system": setting.texts.handbook(turn, prefix),
                "questions": [setting.texts.question(reader + 1, _OWN) for reader in range(_AGENTS)],
            }
            shared.append(workers.ask("crowd", first=turn, **job))
            each.append(workers.ask("crowd", first=turn, reuse=False, **job))
    with_, without = column(shared, _seconds), column(each, _seconds)
    name = f"first tokens of {_AGENTS} agents, {prefix} tokens in common"
    bars = []
    for side, bar, goal in (("auto", 3.5, 4.5), ("torch", None, None)):
        times = ratio({"shared": with_[side], "not": without[side]}, "not", "shared")
        bars.append(Bar(against=f"{side}, not shared", ratio=times, bar=bar, goal=goal, at_least=True))
    return [
        Row(name=f"{name}, shared", unit="CPU s", samples=with_, bars=bars),
        Row(name=f"{name}, not shared", unit="CPU s", samples=without),
    ]


def _seconds(answer: dict[str, Any]) -> float:
    return float(answer["cpu"])
