"""The order of what a vector database found, where its rounding and its cuts leave that open."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sre_core.connectors.vectors import Match

__all__ = ["ends_clearly", "nearest_first"]

_ROUNDING = 5e-7
"""How far apart, relatively, two scores may be that stand for the same one: a few steps of float32."""


def ends_clearly(scores: Sequence[float], k: int) -> bool:
    """Whether a search that found these scores, best first, has certainly found the `k` best of all records.

    Not so when the score at place `k` equals the last one: further records of that score may have been cut off, whose
    ids come first.
    """
    return len(scores) > k and not _equal(scores[k - 1], scores[-1])


def nearest_first(matches: Iterable[Match], k: int) -> list[Match]:
    """The `k` best matches, best first, equal scores in order of id.

    Databases compute scores as float32, in an order of their own, so that equal vectors may differ in the last digit;
    scores that are so close are made equal.
    """
    ordered = sorted(matches, key=lambda match: -match.score)
    result: list[Match] = []
    start = 0
    while start < len(ordered) and len(result) < k:
        score = ordered[start].score
        end = start + 1
        while end < len(ordered) and _equal(score, ordered[end].score):
            end += 1
        same = ordered[start:end]
        if len(same) > 1:
            same.sort(key=lambda match: match.id)
            same = [match if match.score == score else replace(match, score=score) for match in same]
        result += same
        start = end
    return result[:k]


def _equal(left: float, right: float) -> bool:
    # Products may be infinite as float32; these are near to nothing else.
    return left == right or abs(left - right) <= _ROUNDING * max(abs(left), abs(right)) < math.inf
