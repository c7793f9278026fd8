"""Conditions on metadata as a filter expression of Milvus."""

import math
from collections.abc import Sequence

from sre_core.connectors.vectors import Comparison, Condition, Scalar
from sre_milvus.metadata import BOOLEAN, NUMBER, TEXT, key_of, kind_of

__all__ = ["both", "expression", "is_unicode", "quoted"]

_OPERATORS = {
    Comparison.GT: ">",
    Comparison.GTE: ">=",
    Comparison.LT: "<",
    Comparison.LTE: "<=",
}
_LIMIT = 1 << 63
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def expression(conditions: Sequence[Condition]) -> str:
    """The filter that all conditions make; "" when everything meets them.

    A record that meets them meets the filter. The other way round there are exceptions, numbers beyond 64 bits, so
    what is found is to be compared once more.
    """
    return both(*(_one(condition) for condition in conditions))


def both(*filters: str) -> str:
    """A filter that holds where all of these do; empty ones always do."""
    parts = [part for part in filters if part]
    return parts[0] if len(parts) == 1 else " and ".join(f"({part})" for part in parts)


def is_unicode(text: str) -> bool:
    """Whether a record can hold this text: not with surrogates, which also no request can carry."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def quoted(text: str) -> str:
    """Text as a literal. Everything else stands for itself in both Milvus and Milvus Lite, also control characters."""
    return f'"{text.translate(_ESCAPES)}"'


def _one(condition: Condition) -> str:
    field, comparison, value = condition.field, condition.comparison, condition.value
    values = value if isinstance(value, tuple) else (value,)
    if comparison in {Comparison.IN, Comparison.EQ}:
        return _any(list(_equal(field, values).values())) or _nothing(field)
    if comparison in {Comparison.NIN, Comparison.NE}:
        # Neither Milvus nor Milvus Lite says "yes" to the negation of what cannot be compared.
        return both(
            *(f"(not (exists {_place(field, kind)})) or (not ({test}))" for kind, test in _equal(field, values).items())
        )
    return _compare(field, comparison, values[0])


def _equal(field: str, values: Sequence[Scalar]) -> dict[str, str]:
    """For each kind among the values a test for equality with one of them; Milvus Lite has no `in` for JSON."""
    tests: dict[str, list[str]] = {}
    for value in dict.fromkeys((kind_of(value), value) for value in values):
        kind, literal = value[0], _literal(value[1])
        if literal is not None:
            tests.setdefault(kind, []).append(f"{_place(field, kind)} == {literal}")
    return {kind: _any(several) for kind, several in tests.items()}


def _compare(field: str, comparison: Comparison, value: Scalar) -> str:
    literal = _literal(value)
    if literal is not None:
        return f"{_place(field, kind_of(value))} {_OPERATORS[comparison]} {literal}"
    return f"exists {_place(field, TEXT)}" if isinstance(value, str) else _beyond(field, comparison, value)


def _beyond(field: str, comparison: Comparison, value: int | float) -> str:
    """A comparison with NaN, an infinite number, or one that no record can hold exactly."""
    try:
        limit = float(value)
    except OverflowError:
        limit = math.inf if value > 0 else -math.inf
    below = comparison in {Comparison.LT, Comparison.LTE}
    if math.isnan(limit):
        return _nothing(field)
    if math.isinf(limit):
        return f"exists {_place(field, NUMBER)}" if below == (limit > 0) else _nothing(field)
    return f"{_place(field, NUMBER)} {'<=' if below else '>='} {limit!r}"


def _literal(value: Scalar) -> str | None:
    """A literal, or None for a value that no record can hold. Booleans are 0 and 1."""
    if isinstance(value, str):
        return quoted(value) if is_unicode(value) else None
    if -_LIMIT <= value < _LIMIT and value == int(value):
        return str(int(value))
    try:
        number = float(value)
    except OverflowError:
        return None
    return repr(number) if math.isfinite(number) and number == value else None


def _any(tests: Sequence[str]) -> str:
    """Holds where one of the tests does. Nested like a tree, since a server's parser goes only so deep."""
    if len(tests) <= 2:
        return " or ".join(f"({test})" for test in tests) if len(tests) == 2 else "".join(tests)
    middle = len(tests) // 2
    return f"({_any(tests[:middle])}) or ({_any(tests[middle:])})"


def _nothing(field: str) -> str:
    place = _place(field, BOOLEAN)
    return f"(exists {place}) and (not (exists {place}))"


def _place(field: str, kind: str) -> str:
    return f'metadata["{key_of(kind, field)}"]'
