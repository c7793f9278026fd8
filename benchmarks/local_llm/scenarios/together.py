"""Eight replies at once, and one after the other."""

from typing import Any

from benchmarks.local_llm.setting import Setting, column
from benchmarks.result import Bar, Row, ratio
from benchmarks.workers import Workers

__all__ = ["measure"]

_REPLIES = 8
_THINGS = ("a lighthouse", "an old clock", "two foxes", "a lost letter", "the first snow", "a ship", "a market", "rain")
_CLOSE = 0.9


def measure(setting: Setting) -> list[Row]:
    """Tokens per second of CPU time on one thread, in all."""
    count = setting.size(128, 16)
    parted: list[dict[str, dict[str, Any]]] = []
    together: list[dict[str, dict[str, Any]]] = []
    with Workers() as workers:
        setting.connectors(workers)
        setting.plain(workers, ["f32"])
        workers.wait()
        for turn in range(setting.rounds(5)):
            # Another number in each round: what was read in the one before is of no use.
            prompts = [f"Story {turn}: write a very long story about {thing}." for thing in _THINGS]
            parted.append(_checked(workers.ask("replies", first=turn, prompts=prompts, count=count), count))
            at_once = {
                side: workers.ask_one(side, "replies", prompts=prompts, count=count, together=True)
                for side in ("auto", "torch")
            }
            together.append(_checked(at_once, count))
    alone, all_ = column(parted, _rate), column(together, _rate)
    bars = [Bar(against="auto, one by one", ratio=_gain(all_, alone, "auto"), bar=2.5, goal=4.5, at_least=True)]
    bars += [Bar(against="torch, one by one", ratio=_gain(all_, alone, "torch"), at_least=True)]
    plain = Bar(against="f32", ratio=ratio(alone, "auto", "f32"), at_least=True)
    return [
        Row(name=f"{_REPLIES} replies of {count} tokens, one by one", unit="tokens/s", samples=alone, bars=(plain,)),
        Row(name=f"{_REPLIES} replies of {count} tokens, at once", unit="tokens/s", samples=all_, bars=bars),
    ]


def _gain(many: dict[str, list[float]], one: dict[str, list[float]], side: str) -> float | None:
    return ratio({"many": many[side], "one": one[side]}, "many", "one")


def _rate(answer: dict[str, Any]) -> float:
    return float(answer["tokens"] / answer["cpu"])


def _checked(answers: dict[str, dict[str, Any]], count: int) -> dict[str, dict[str, Any]]:
    """Fail when replies ended early: then fewer run at once than it seems."""
    for side, answer in answers.items():
        if answer["tokens"] < _CLOSE * _REPLIES * count:
            raise SystemExit(f"{side!r} wrote {answer['tokens']} tokens instead of {_REPLIES * count}")
    return answers
