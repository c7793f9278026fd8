"""Conditions on metadata, made into one function that is quick to call for many records."""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sre_core.connectors.vectors import Comparison, Condition, Scalar

__all__ = ["predicate"]

Metadata = Mapping[str, Scalar]
Predicate = Callable[[Metadata], bool]

_COMPARE: Mapping[Comparison, Callable[[Any, Any], bool]] = {
    Comparison.EQ: operator.eq,
    Comparison.NE: operator.eq,
    Comparison.GT: operator.gt,
    Comparison.GTE: operator.ge,
    Comparison.LT: operator.lt,
    Comparison.LTE: operator.le,
}


def predicate(conditions: Sequence[Condition]) -> Predicate:
    """Tells whether the metadata of a record meets all conditions."""
    tests = [_test(condition) for condition in conditions]
    if len(tests) == 1:
        return tests[0]
    return lambda metadata: all(test(metadata) for test in tests)


def _test(condition: Condition) -> Predicate:
    name, comparison, value = condition.field, condition.comparison, condition.value
    if isinstance(value, tuple):
        members = {(_kind(item), item) for item in value}

        def is_member(metadata: Metadata) -> bool:
            return name in metadata and (_kind(metadata[name]), metadata[name]) in members

        return _negated(is_member) if comparison is Comparison.NIN else is_member
    wanted, kind = value, _kind(value)
    compare = _COMPARE[comparison]

    def holds(metadata: Metadata) -> bool:
        found = metadata.get(name)
        return found is not None and _kind(found) is kind and compare(found, wanted)

    return _negated(holds) if comparison is Comparison.NE else holds


def _negated(test: Predicate) -> Predicate:
    return lambda metadata: not test(metadata)


# Python holds True == 1; vector databases do not.
def _kind(value: Scalar) -> type:
    kind = type(value)
    if kind is str or kind is float or kind is bool:
        return kind
    # Whole numbers, and members of enumerations or numbers of numpy, which are what they derive from.
    return str if isinstance(value, str) else float
