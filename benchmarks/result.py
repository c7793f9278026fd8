"""What a scenario finds: values of each side, and their ratios against the bars."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Bar", "Row", "ratio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A ratio and what it should be: at most `bar` and `goal`, or at least, with `at_least`."""

    against: str
    ratio: float | None
    bar: float | None = None
    goal: float | None = None
    at_least: bool = False
    note: str = ""

    def reaches(self, wanted: float | None) -> bool | None:
        """Whether the ratio is good enough; None where it was not measured, or nothing is wanted."""
        if wanted is None or self.ratio is None:
            return None
        return self.ratio >= wanted if self.at_least else self.ratio <= wanted

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "against": self.against,
            "ratio": self.ratio,
            "bar": self.bar,
            "bar_reached": self.reaches(self.bar),
            "goal": self.goal,
            "goal_reached": self.reaches(self.goal),
            "at_least": self.at_least,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measure: the median of each side in `unit`, the samples behind it, and the bars."""

    name: str
    unit: str
    samples: Mapping[str, Sequence[float]]
    bars: Sequence[Bar] = ()

    def value(self, side: str) -> float | None:
        """The median of a side; None if it was not measured."""
        samples = self.samples.get(side)
        return statistics.median(samples) if samples else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "name": self.name,
            "unit": self.unit,
            "values": {side: self.value(side) for side in self.samples},
            "samples": {side: list(samples) for side, samples in self.samples.items()},
            "bars": [bar.to_dict() for bar in self.bars],
        }


def ratio(samples: Mapping[str, Sequence[float]], of: str, to: str) -> float | None:
    """The median of the ratios within each round, since what else the machine does changes from round to round."""
    ours, theirs = samples.get(of), samples.get(to)
    if not ours or not theirs:
        return None
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True) if b)
