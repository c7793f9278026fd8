"""Whether skill calls are valid and right: written under a grammar, and freely."""

import json
from collections.abc import Sequence
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
    rows: list[Row] = []
    for way, scores in (("", guided), (", free", free)):
        wanted = [score for score in scores if score.wanted]
        quiet = [score for score in scores if not score.wanted]
        calls = [score for score in scores if score.valid is not None]
        # What a bar is set on is our way; the free one is there to compare.
        ours = not way
        if wanted:
            rows += [
                _row(f"{category}: a call is written{way}", [score.called for score in wanted]),
                _row(
                    f"{category}: name right{way}", [s.name for s in wanted], bar=_NAMES.get(category) if ours else None
                ),
                _row(f"{category}: whole call right{way}", [s.whole for s in wanted]),
            ]
        if quiet:
            least = _QUIET.get(category) if ours else None
            rows.append(_row(f"{category}: quiet where none fits{way}", [not s.called for s in quiet], bar=least))
        if calls:
            rows.append(
                _row(f"{category}: calls valid{way}", [s.valid is True for s in calls], bar=1 if ours else None)
            )
        if category == _OWN:
            chosen = [score.name if score.wanted else not score.called for score in scores]
            done = [score.whole if score.wanted else not score.called for score in scores]
            rows += [
                _row(
                    f"{category}: right skill or none{way}",
                    chosen,
                    bar=0.8 if ours else None,
                    goal=0.9 if ours else None,
                ),
                _row(f"{category}: all right{way}", done, bar=0.6 if ours else None, goal=0.8 if ours else None),
            ]
    return rows


_NAMES = {"multiple": 0.8}
_QUIET = {"irrelevance": 0.7}


def _row(name: str, hits: Sequence[bool], *, bar: float | None = None, goal: float | None = None) -> Row:
    share = sum(hits) / len(hits)
    bars = (Bar(against="all", ratio=share, bar=bar, goal=goal, at_least=True),)
    return Row(name=name, unit=f"of {len(hits)}", samples={"auto": [float(sum(hits))]}, bars=bars)
