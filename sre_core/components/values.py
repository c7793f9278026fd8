"""Types of ports: what a value becomes at an input of type Number, Date or Binary."""

import re
from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

from sre_core.components.context import ComponentContext
from sre_core.components.dates import iso_date
from sre_core.components.file_port import to_files
from sre_core.components.javascript import number_text
from sre_core.components.kinds import kind_of
from sre_core.components.loose_json import parse_loose_json
from sre_core.components.node import InputPort
from sre_core.components.template import as_text
from sre_core.errors import ComponentError

__all__ = ["FILE_TYPES", "coerce", "convert", "is_empty", "is_file_port", "needs_coercion"]

FILE_TYPES: Final = frozenset({"binary", "image", "audio", "video"})
"""The types, in lower case, whose values are files."""

_NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_HEX = re.compile(r"\s*([+-]?0[xX][0-9a-fA-F]+)")
_MAX_DIGITS = 1000
_NULL_LIKE = frozenset({"null", "undefined"})
_BOOLEANS: Mapping[str, bool] = MappingProxyType({"true": True, "1": True, "false": False, "0": False})

_WANTED: Mapping[str, str] = MappingProxyType(
    {
        "number": "a number",
        "integer": "a whole number",
        "boolean": "true or false, 1 or 0",
        "array": "a list, or text with commas between the items",
        "object": "an object, or a text that is one in JSON",
        "date": "a date, or milliseconds since 1970",
    }
)


def is_file_port(port: InputPort) -> bool:
    """Whether the port takes files."""
    return port.is_file or _type(port) in FILE_TYPES


def is_empty(value: Any) -> bool:
    """Whether a value is left as it is at every port: None, False, 0 and ""; an empty list is a value."""
    return value is None or value is False or value == "" or (isinstance(value, int | float) and value == 0)


def needs_coercion(port: InputPort) -> bool:
    """Whether values change at this port at all; most are of type Any."""
    return is_file_port(port) or _type(port) in _CONVERTERS


async def coerce(value: Any, port: InputPort, context: ComponentContext) -> Any:
    """`value` as the port's type has it; an unknown type changes nothing. Raises ComponentError that names the port.

    What is empty stays as it is. A file becomes its value in a workflow, `{"mimetype", "size", "url", "name"}`; reading
    one also raises NotFoundError, AccessDeniedError and UnavailableError.
    """
    if is_file_port(port) and not is_empty(value):
        return await to_files(value, port.name, context)
    return convert(value, port)


def convert(value: Any, port: InputPort) -> Any:
    """Like `coerce`, without files: at a port that takes some, a value stays as it is. Does no I/O."""
    if is_empty(value) or is_file_port(port) or not needs_coercion(port):
        return value
    try:
        return _CONVERTERS[_type(port)](value)
    except (ComponentError, ValueError, OverflowError) as error:
        why = f": {error}" if isinstance(error, ComponentError) else _wanted(port)
        raise ComponentError(
            f"Invalid {_type(port).capitalize()} value at the input {port.name!r}{why}",
            hint=f"it got {_described(value)}",
        ) from error


def _wanted(port: InputPort) -> str:
    wanted = _WANTED.get(_type(port))
    return f": it takes {wanted}" if wanted else ""


def _type(port: InputPort) -> str:
    return port.type.strip().lower()


def _described(value: Any) -> str:
    """What a value is. Not the value itself: it may be a secret at the wrong input."""
    if isinstance(value, str):
        return f"a text of {len(value)} characters"
    return kind_of(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return "" if value in _NULL_LIKE else value
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float):
        return number_text(value)
    return as_text(value)


def _number(value: Any) -> int | float:
    """The number that a value is, or that a text begins with."""
    if isinstance(value, str):
        found = _NUMBER.match(value)
        if found is None or len(found[1]) > _MAX_DIGITS:
            raise ValueError("no number")
        digits = found[1]
        value = int(digits) if digits.lstrip("+-").isdecimal() else float(digits)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError("no number")
    return _whole(value)


def _whole(value: float) -> int | float:
    """A whole number without a point, as JSON has it from SmythOS."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _integer(value: Any) -> int:
    hexadecimal = _HEX.match(value) if isinstance(value, str) else None
    if hexadecimal is None:
        return int(_number(value))
    if len(hexadecimal[1]) > _MAX_DIGITS:
        raise ValueError("no number")
    return int(hexadecimal[1], 16)


def _boolean(value: Any) -> bool:
    plain = number_text(value) if isinstance(value, float) else value
    word = str(plain).strip().lower() if isinstance(plain, str | int) else ""
    if word not in _BOOLEANS:
        raise ValueError("neither true nor false")
    return _BOOLEANS[word]


def _array(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, str):
        raise ComponentError("it is no list", hint="send a list, JSON, or a text with commas")
    if not value.lstrip().startswith("["):
        return [part.strip() for part in value.split(",")]
    parsed = parse_loose_json(value)
    if not isinstance(parsed, list):
        raise ComponentError("it is no list", hint="send a list, JSON, or a text with commas")
    return parsed


def _object(value: Any) -> Mapping[str, Any]:
    parsed = parse_loose_json(value) if isinstance(value, str) else value
    if not isinstance(parsed, Mapping):
        raise ComponentError("it is no object", hint='send an object, or JSON as in {"name": "value"}')
    return parsed


_CONVERTERS = MappingProxyType(
    {
        "string": _text,
        "text": _text,
        "number": _number,
        "integer": _integer,
        "boolean": _boolean,
        "array": _array,
        "object": _object,
        "date": iso_date,
    }
)
