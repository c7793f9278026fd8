"""The vectors, records and conditions that the kit for vectors tries, and what must come of them."""

import math
from collections.abc import Sequence
from typing import Any

from sre_core.connectors.vectors import Comparison, Metric, Scalar

__all__ = ["BAD_NAMES", "BAD_VECTORS", "FILTERS", "KINDS", "PEOPLE", "true_score"]

BAD_VECTORS = [[1.0], [1.0, 2.0, 3.0], [], [math.nan, 1.0], [1.0, math.inf], [-math.inf, 1.0]]
BAD_NAMES = ["too-short", "too-long", "empty", "nan", "infinite", "minus-infinite"]

PEOPLE: dict[str, dict[str, Scalar]] = {
    "ada": {"lang": "en", "year": 1843, "score": 9.5, "alive": False},
    "bob": {"lang": "en", "year": 2020, "score": 1.0, "alive": True},
    "cid": {"lang": "de", "year": 2021, "score": 0.5, "alive": True},
    "dee": {},
}

FILTERS: list[tuple[str, Comparison, Any, str]] = [
    ("lang", Comparison.EQ, "en", "ada bob"),
    ("year", Comparison.EQ, 2020, "bob"),
    ("score", Comparison.EQ, 1, "bob"),
    ("alive", Comparison.EQ, True, "bob cid"),
    ("alive", Comparison.EQ, False, "ada"),
    ("lang", Comparison.NE, "en", "cid dee"),
    ("year", Comparison.NE, 2020, "ada cid dee"),
    ("year", Comparison.GT, 2020, "cid"),
    ("year", Comparison.GTE, 2020, "bob cid"),
    ("score", Comparison.LT, 1, "cid"),
    ("score", Comparison.LTE, 1.0, "bob cid"),
    ("lang", Comparison.GT, "de", "ada bob"),
    ("lang", Comparison.IN, ("de", "fr"), "cid"),
    ("year", Comparison.IN, (1843, 2021), "ada cid"),
    ("lang", Comparison.NIN, ("de", "fr"), "ada bob dee"),
    ("lang", Comparison.EQ, "fr", ""),
    ("no-such-field", Comparison.EQ, 1, ""),
    ("no-such-field", Comparison.NE, 1, "ada bob cid dee"),
]
KINDS: list[tuple[str, Comparison, Any, str]] = [
    ("alive", Comparison.EQ, 1, ""),
    ("score", Comparison.EQ, True, ""),
    ("year", Comparison.EQ, "2020", ""),
    ("lang", Comparison.GT, 1, ""),
    ("year", Comparison.LT, "a", ""),
    ("alive", Comparison.GTE, 0, ""),
    ("year", Comparison.NE, "2020", "ada bob cid dee"),
    ("year", Comparison.IN, ("2020", True), ""),
]


def true_score(metric: Metric, left: Sequence[float], right: Sequence[float]) -> float:
    """The score of two vectors, in float64."""
    if metric is Metric.L2:
        return -math.dist(left, right)
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return product if metric is Metric.DOT else product / (math.hypot(*left) * math.hypot(*right))
