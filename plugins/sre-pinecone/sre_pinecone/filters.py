"""Conditions on metadata as a filter of Pinecone."""

import math
from collections.abc import Sequence
from typing import Any

from sre_core.connectors.vectors import Comparison, Condition, Scalar
from sre_pinecone.metadata import EXACT, NUMBER, TEXT, key_of, kind_of

__all__ = ["NOTHING", "Filter", "filter_of"]

Filter = dict[str, Any]

NOTHING: Filter = {"$or": []}
"""Stands for a filter that no record meets; Pinecone has none, and need not be asked."""

_LARGEST_LIST = 10_000
_OPERATORS = {
    Comparison.GT: "$gt",
    Comparison.GTE: "$gte",
    Comparison.LT: "$lt",
    Comparison.LTE: "$lte",
}


def filter_of(conditions: Sequence[Condition]) -> Filter | None:
    """The filter that all conditions make; None when it would let everything through.

    A record that meets them meets the filter. The other way round there are exceptions, an order of texts and numbers
    beyond 53 bits, so what is found is to be compared once more.
    """
    parts = [part for condition in conditions if (part := _one(condition)) is not None]
    return NOTHING if NOTHING in parts else _all(parts)


def _one(condition: Condition) -> Filter | None:
    field, comparison, value = condition.field, condition.comparison, condition.value
    values = value if isinstance(value, tuple) else (value,)
    if comparison in {Comparison.IN, Comparison.EQ}:
        return _any([test for kind, items in _by_kind(values) for test in _among(key_of(kind, field), items)])
    if comparison in {Comparison.NIN, Comparison.NE}:
        return _all(
            [
                {"$or": [{key: {"$exists": False}}, {key: {"$nin": items[start : start + _LARGEST_LIST]}}]}
                for kind, items in _by_kind(values, exact=True)
                for key in [key_of(kind, field)]
                for start in range(0, len(items), _LARGEST_LIST)
            ]
        )
    return _ordered(field, comparison, values[0])


def _by_kind(values: Sequence[Scalar], *, exact: bool = False) -> list[tuple[str, list[str | int | float]]]:
    """The values that records can hold, by kind; with `exact`, only those that no other one could be taken for."""
    kinds: dict[str, dict[str | int | float, None]] = {}
    for value in values:
        kept = _kept(value)
        if kept is not None and not (exact and isinstance(kept, int | float) and abs(kept) >= EXACT):
            kinds.setdefault(kind_of(value), {})[kept] = None
    return [(kind, list(items)) for kind, items in kinds.items()]


def _among(key: str, items: list[str | int | float]) -> list[Filter]:
    if len(items) == 1:
        return [{key: {"$eq": items[0]}}]
    return [{key: {"$in": items[start : start + _LARGEST_LIST]}} for start in range(0, len(items), _LARGEST_LIST)]


def _ordered(field: str, comparison: Comparison, value: Scalar) -> Filter:
    if isinstance(value, str):
        return {key_of(TEXT, field): {"$exists": True}}  # Pinecone orders numbers only
    below = comparison in {Comparison.LT, Comparison.LTE}
    try:
        limit = float(value)
    except OverflowError:
        limit = math.inf if value > 0 else -math.inf
    if math.isnan(limit):
        return NOTHING
    key = key_of(kind_of(value), field)
    if math.isinf(limit):
        return {key_of(NUMBER, field): {"$exists": True}} if below == (limit > 0) else NOTHING
    if abs(limit) >= EXACT:
        return {key: {"$lte" if below else "$gte": limit}}
    return {key: {_OPERATORS[comparison]: _kept(value)}}


def _kept(value: Scalar) -> str | int | float | None:
    """A value as it is in a record, where booleans are 0 and 1; None when no record can hold it."""
    if isinstance(value, str):
        return None if any("\ud800" <= character <= "\udfff" for character in value) else value
    if isinstance(value, int) and abs(value) < EXACT:
        return int(value)
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _all(parts: list[Filter]) -> Filter | None:
    return {"$and": parts} if len(parts) > 1 else (parts[0] if parts else None)


def _any(parts: list[Filter]) -> Filter:
    return {"$or": parts} if len(parts) > 1 else (parts[0] if parts else NOTHING)
