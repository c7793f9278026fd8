"""The metadata filters of Pinecone, as its guide "Filter by metadata" has them, and strict about everything else."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}
LARGEST_LIST = 10_000


class FilterError(ValueError):
    """What a filter is refused with."""


def check(filter_: Any) -> None:
    """Raise FilterError unless it is a filter."""
    if not isinstance(filter_, dict) or not filter_:
        raise FilterError("a filter is an object with a condition")
    for key, value in filter_.items():
        if key in {"$and", "$or"}:
            if not isinstance(value, list) or not value:
                raise FilterError(f"{key} takes a list of filters")
            for part in value:
                check(part)
        elif key.startswith("$"):
            raise FilterError(f"{key} cannot be here")
        else:
            _check_field(key, value)


def _check_field(field: str, value: Any) -> None:
    if not isinstance(value, dict) or len(value) != 1:
        raise FilterError(f"field {field!r} takes one comparison")
    ((word, wanted),) = value.items()
    if word in {"$eq", "$ne"}:
        legal = isinstance(wanted, str | int | float | bool)
    elif word in ORDER:
        legal = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    elif word in {"$in", "$nin"}:
        legal = (
            isinstance(wanted, list)
            and 0 < len(wanted) <= LARGEST_LIST
            and all(isinstance(item, str | int | float) and not isinstance(item, bool) for item in wanted)
        )
    elif word == "$exists":
        legal = isinstance(wanted, bool)
    else:
        raise FilterError(f"{word} is no comparison")
    if not legal:
        raise FilterError(f"{word} does not take {wanted!r}")


def meets(filter_: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Whether metadata meets a filter. Without the field, it meets not even $ne: nobody may rely on that."""
    return all(_holds(key, value, metadata) for key, value in filter_.items())


def _holds(key: str, value: Any, metadata: Mapping[str, Any]) -> bool:
    if key == "$and":
        return all(meets(part, metadata) for part in value)
    if key == "$or":
        return any(meets(part, metadata) for part in value)
    ((word, wanted),) = value.items()
    if word == "$exists":
        return (key in metadata) is wanted
    if key not in metadata:
        return False
    found = metadata[key]
    if word in {"$in", "$nin"}:
        return any(_same(found, item) for item in wanted) is (word == "$in")
    if word in {"$eq", "$ne"}:
        return _same(found, wanted) is (word == "$eq")
    return isinstance(found, int | float) and ORDER[word](float(found), float(wanted))


def _same(left: Any, right: Any) -> bool:
    kinds = {str if isinstance(side, str) else bool if isinstance(side, bool) else float for side in (left, right)}
    return len(kinds) == 1 and left == right
