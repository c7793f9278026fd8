"""Six steps of an agent with a long system prompt: what was read before need not be read again."""

from collections.abc import Sequence
from typing import Any

from benchmarks.local_llm.setting import Setting, column
from benchmarks.local_llm.texts import QUESTION
from benchmarks.result import Bar, Row, ratio
from benchmarks.workers import Workers

__all__ = ["measure"]

_STEPS = 6
_WRITTEN = 48
_SEEN = 88
_CLOSE = 0.9


def measure(setting: Setting) -> list[Row]:
    """CPU time on one thread. Each round has a system prompt of its own, so that nothing is left of the one before."""
    steps, prefix = setting.size(_STEPS, 2), setting.size(1200, 150)
    found: list[dict[str, dict[str, Any]]] = []
    again: list[dict[str, dict[str, Any]]] = []
    with Workers() as workers:
        setting.connectors(workers)
        setting.plain(workers, ["f32"])
        setting.peers(workers, ["smolagents", "llama.cpp"])
        workers.wait()
        for turn in range(setting.rounds(3)):
            job = {
                "system": setting.texts.handbook(turn, prefix),
                "question": QUESTION,
                "seen": [setting.texts.observation(step, _SEEN) for step in range(steps)],
                "count": _WRITTEN,
            }
            found.append(_checked(workers.ask("agent", first=turn, **job), steps))
            bare = {side: workers.ask_one(side, "agent", reuse=False, **job) for side in ("auto", "torch")}
            again.append(_checked(bare, steps))
    return _rows(found, again, steps, prefix)


def _rows(
    found: Sequence[dict[str, dict[str, Any]]], again: Sequence[dict[str, dict[str, Any]]], steps: int, prefix: int
) -> list[Row]:
    whole, bare = column(found, _whole), column(again, _whole)
    later, bare_later = column(found, _later), column(again, _later)
    name = f"{steps} steps of an agent, {prefix} tokens before"
    bars = [Bar(against="f32, all read again", ratio=_times(whole, "f32"), bar=5, goal=8, at_least=True)]
    bars += [
        Bar(against=side, ratio=_times(whole, side), bar=bar, goal=goal, at_least=True)
        for side, bar, goal in (("smolagents", 5, 8), ("llama.cpp", None, None))
        if side in whole
    ]
    reuse = ratio({"with": later["auto"], "without": bare_later["auto"]}, "without", "with")
    torch = ratio({"with": later["torch"], "without": bare_later["torch"]}, "without", "with")
    return [
        Row(name=name, unit="CPU s", samples=whole, bars=bars),
        Row(name=f"{name}, ours without reuse", unit="CPU s", samples=bare),
        Row(
            name=f"steps 2 to {steps}",
            unit="CPU s",
            samples=later,
            bars=(
                Bar(against="auto, no reuse", ratio=reuse, bar=2.5, goal=5, at_least=True, note="no reuse / reuse"),
                Bar(against="torch, no reuse", ratio=torch, at_least=True, note="torch: no reuse / reuse"),
            ),
        ),
        Row(name=f"steps 2 to {steps}, ours without reuse", unit="CPU s", samples=bare_later),
    ]


def _times(samples: dict[str, list[float]], side: str) -> float | None:
    """How many times as long as ours."""
    return ratio(samples, side, "auto")


def _whole(answer: dict[str, Any]) -> float:
    return sum(float(step["cpu"]) for step in answer["steps"])


def _later(answer: dict[str, Any]) -> float:
    return sum(float(step["cpu"]) for step in answer["steps"][1:])


def _checked(answers: dict[str, dict[str, Any]], steps: int) -> dict[str, dict[str, Any]]:
    """Fail when a side wrote less than it should: what stops early must not look fast."""
    for side, answer in answers.items():
        written = sum(step["written"] for step in answer["steps"])
        if written < _CLOSE * steps * _WRITTEN:
            raise SystemExit(f"{side!r} wrote {written} tokens instead of {steps * _WRITTEN}")
    return answers
