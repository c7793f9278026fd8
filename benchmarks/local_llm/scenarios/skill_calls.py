"""Whether skill calls are valid and right: written under a grammar, and freely."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.local_llm import bfcl
from benchmarks.local_llm.bfcl import Sample
from benchmarks.local_llm.calls import right, spoken, valid
from benchmarks.local_llm.prompts import PROMPTS, SKILLS
from benchmarks.local_llm.setting import Setting
from benchmarks.result import Bar, Row
from benchmarks.workers import Workers

__all__ = ["measure"]

_TOKENS = 256
_OWN = "own prompts"
_FREE = """You can call functions. These are the functions:
<tools>
{tools}
</tools>
To call one, answer with nothing but this, for each call:
<tool_call>
{{"name": "<its name>", "arguments": {{<its arguments>}}}}
</tool_call>
When none of the functions can help, answer in plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Score:
    """What became of one sample. `valid` is None where nothing was called."""

    wanted: bool
    called: bool
    valid: bool | None
    name: bool
    whole: bool


def measure(setting: Setting) -> list[Row]:
    """Counts, not times; the reply is greedy, so one round is enough."""
    samples = {_OWN: _own()}
    if setting.calls is not None:
        samples |= bfcl.categories(setting.calls)
    rows: list[Row] = []
    with Workers() as workers:
        setting.connectors(workers, ["auto"], one_thread=False)
        workers.wait()
        for category, all_ in samples.items():
            chosen = all_[:: max(1, len(all_) // 4)][:4] if setting.quick else all_
            guided = [_guided(workers, sample) for sample in chosen]
            free = [_free(workers, sample) for sample in chosen]
            rows += _rows(category, guided, free)
    return rows


def _own() -> list[Sample]:
    return [
        Sample(
            system="",
            text=prompt.text,
            skills=SKILLS,
            right=({prompt.skill: prompt.arguments},) if prompt.skill else (),
        )
        for prompt in PROMPTS
    ]


def _guided(workers: Workers, sample: Sample) -> _Score:
    skills = [asdict(skill) for skill in sample.skills]
    job = {"system": sample.system, "text": sample.text, "skills": skills, "choice": "auto", "count": _TOKENS}
    return _score(workers.ask_one("auto", "call", **job)["calls"], sample)


def _free(workers: Workers, sample: Sample) -> _Score:
    tools = "\n".join(json.dumps(asdict(skill)) for skill in sample.skills)
    system = "\n\n".join(part for part in (sample.system, _FREE.format(tools=tools)) if part)
    job = {"system": system, "text": sample.text, "skills": [], "choice": "none", "count": _TOKENS}
    return _score(spoken(workers.ask_one("auto", "call", **job)["text"]), sample)


def _score(calls: Sequence[Any], sample: Sample) -> _Score:
    name, whole = right(calls, sample.right)
    return _Score(
        wanted=bool(sample.right),
        called=bool(calls),
        valid=all(valid(call, sample.skills) for call in calls) if calls else None,
        name=name,
        whole=whole,
    )


def _rows(category: str, guided: Sequence[_Score], free: Sequence[_Score]) -> list[Row]:
    rows = [
        _row(f"{category}: a call is written", guided, free, lambda one: one.called if one.wanted else None),
        _row(
            f"{category}: name right",
            guided,
            free,
            lambda one: one.name if one.wanted else None,
            bar=0.8 if category == "multiple" else None,
        ),
        _row(f"{category}: whole call right", guided, free, lambda one: one.whole if one.wanted else None),
        _row(
            f"{category}: quiet where none fits",
            guided,
            free,
            lambda one: None if one.wanted else not one.called,
            bar=0.7 if category == "irrelevance" else None,
        ),
        _row(f"{category}: valid, of the calls", guided, free, lambda one: one.valid, bar=1),
    ]
    if category == _OWN:
        rows += [
            _row(
                f"{category}: right skill or none",
                guided,
                free,
                lambda one: one.name if one.wanted else not one.called,
                bar=0.8,
                goal=0.9,
            ),
            _row(
                f"{category}: all right",
                guided,
                free,
                lambda one: one.whole if one.wanted else not one.called,
                bar=0.6,
                goal=0.8,
            ),
        ]
    return [row for row in rows if row.samples]


def _row(
    name: str,
    guided: Sequence[_Score],
    free: Sequence[_Score],
    hit: Callable[[_Score], bool | None],
    *,
    bar: float | None = None,
    goal: float | None = None,
) -> Row:
    """How many of those that `hit` does not pass over have it, in percent."""
    hits = {side: [hit(one) for one in scores] for side, scores in (("auto", guided), ("free", free))}
    counted = {side: [one for one in found if one is not None] for side, found in hits.items()}
    samples = {side: [100 * sum(found) / len(found)] for side, found in counted.items() if found}
    share = samples["auto"][0] / 100 if "auto" in samples else None
    bars = (Bar(against="all", ratio=share, bar=bar, goal=goal, at_least=True),)
    return Row(name=name, unit=f"% of {len(counted['auto'])}", samples=samples, bars=bars)
