"""Reads samples in the format of the Berkeley function calling leaderboard."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.local_llm.calls import Right
from sre_core.messages import SkillSpec

__all__ = ["Sample", "categories", "schema"]

_TYPES = {"dict": "object", "float": "number", "double": "number", "long": "integer", "tuple": "array"}
_KNOWN = {"string", "integer", "number", "boolean", "array", "object"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A request, the skills at hand, and the calls that are right; none where no skill helps."""

    system: str
    text: str
    skills: tuple[SkillSpec, ...]
    right: tuple[Right, ...]


def categories(folder: Path) -> dict[str, list[Sample]]:
    """The samples of each file, by its name. Raises SystemExit where there are none."""
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise SystemExit(f"no *.jsonl in {str(folder)!r}; see benchmarks/README.md for the format")
    return {file.stem: [_sample(json.loads(line)) for line in _lines(file)] for file in files}


def _lines(file: Path) -> Sequence[str]:
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _sample(entry: Mapping[str, Any]) -> Sample:
    turns = entry["question"][0]
    texts = {role: "\n".join(turn["content"] for turn in turns if turn["role"] == role) for role in ("system", "user")}
    functions = [
        SkillSpec(name=function["name"], description=function["description"], parameters=schema(function["parameters"]))
        for function in entry["function"]
    ]
    return Sample(
        system=texts["system"], text=texts["user"], skills=tuple(functions), right=tuple(entry.get("ground_truth", ()))
    )


def schema(value: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema of one of theirs, whose types have the names of Python; `any` and unknown ones accept all."""
    out = dict(value)
    if isinstance(kind := out.pop("type", None), str):
        kind = _TYPES.get(kind.lower(), kind.lower())
        out |= {"type": kind} if kind in _KNOWN else {}
    if isinstance(inner := out.get("properties"), Mapping):
        out["properties"] = {name: schema(one) for name, one in inner.items()}
    if isinstance(items := out.get("items"), Mapping):
        out["items"] = schema(items)
    return out
