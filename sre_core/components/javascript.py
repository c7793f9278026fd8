"""What JavaScript makes of values, where workflow files and signatures depend on exactly that."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from sre_core.errors import ComponentError

__all__ = ["is_truthy", "json_text", "number_text", "query_text", "well_formed"]

_MAX_DEPTH = 10_000
_INDEX = re.compile(r"0|[1-9]\d{0,9}")
_MAX_INDEX = 2**32 - 2
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNESCAPED = "!'()*-._~"


def is_truthy(value: Any) -> bool:
    """Whether JavaScript takes a value for true: all but null, false, 0, NaN and "". An empty list is true."""
    if value is None or isinstance(value, bool | int | str):
        return bool(value)
    return not (isinstance(value, float) and (value == 0 or math.isnan(value)))


def number_text(value: float) -> str:
    """A number as JavaScript writes it: "1" for 1.0, "1e+21", "1e-7". All numbers are doubles there."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    if not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    # Both languages write the shortest digits that read back as the same double; they differ in where the point goes.
    sign, numerals, exponent = Decimal(repr(number)).normalize().as_tuple()
    digits = "".join(map(str, numerals))
    point = len(digits) + int(exponent)
    return ("-" if sign else "") + _with_point(digits, point)


def json_text(value: Any) -> str:
    """What JSON.stringify returns. Raises ComponentError for what JSON cannot hold, and what contains itself."""
    pieces: list[str] = []
    # What is left of each list and mapping that is open, since the depth of a value must not be that of calls here.
    open_members = [iter([("", value)])]
    ends = [""]
    while open_members:
        label, item = next(open_members[-1], (None, None))
        if label is None:
            open_members.pop()
            pieces.append(ends.pop())
        elif isinstance(item, Mapping | list | tuple):
            start, end = "{}" if isinstance(item, Mapping) else "[]"
            pieces.append(label + start)
            open_members.append(_labelled(item))
            ends.append(end)
        else:
            pieces.append(label + _json_plain(item))
        if len(ends) > _MAX_DEPTH:
            raise ComponentError(f"a value of more than {_MAX_DEPTH} levels cannot be written as JSON")
    return "".join(pieces)


def query_text(value: Any) -> str:
    """What querystring.stringify of Node.js returns: "a=1&b=x&b=y"; "" for all but mappings and lists."""
    return "&".join(
        f"{_quoted(key)}={_quoted(_plain(item))}"
        for key, given in _members(value)
        for item in (given if isinstance(given, list | tuple) else [given])
    )


def well_formed(text: str) -> str:
    """The text, with U+FFFD for halves of surrogate pairs, which no encoding can hold."""
    return _SURROGATE.sub("\ufffd", text)


def _with_point(digits: str, point: int) -> str:
    """Digits with a decimal point after the first `point` of them, by the rules of Number.prototype.toString."""
    count = len(digits)
    if count <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = digits if count == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"


def _json_plain(value: Any) -> str:
    """The JSON text of what has no members."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return _json_string(value)
    if isinstance(value, int | float):
        text = number_text(value)
        return "null" if text[-1] in "Ny" else text
    raise ComponentError(f"a value of type {type(value).__name__!r} cannot be written as JSON")


def _labelled(value: Mapping[Any, Any] | Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """The members of a mapping or list, each with what stands before it in JSON."""
    for index, (key, item) in enumerate(_members(value)):
        comma = "," if index else ""
        yield f"{comma}{_json_string(key)}:" if isinstance(value, Mapping) else comma, item


def _json_string(text: str) -> str:
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", json.dumps(text, ensure_ascii=False))


def _members(value: Any) -> list[tuple[str, Any]]:
    """The members of a mapping or list, in the order in which JavaScript goes through them."""
    if isinstance(value, list | tuple):
        return [(str(index), item) for index, item in enumerate(value)]
    if not isinstance(value, Mapping):
        return []
    # Keys that look like indexes come first there, by their number, whatever the order in which they were set.
    members = [(str(key), item) for key, item in value.items()]
    indexes = [member for member in members if _INDEX.fullmatch(member[0]) and int(member[0]) <= _MAX_INDEX]
    if not indexes:
        return members
    taken = {key for key, _ in indexes}
    return sorted(indexes, key=lambda member: int(member[0])) + [m for m in members if m[0] not in taken]


def _plain(value: Any) -> str:
    """A value of a query; what is no text, number or bool is empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value) if math.isfinite(value) else ""
    return value if isinstance(value, str) else ""


def _quoted(text: str) -> str:
    return quote(well_formed(text), safe=_UNESCAPED)
