"""Says in plain words what is wrong with a setting, by what pydantic found."""

import re
from typing import Any

from pydantic_core import ErrorDetails

from sre_core.components.kinds import kind_of

__all__ = ["in_plain_words"]

_WANTED = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "float_type": "a number",
    "frozen_set_type": "a list",
    "int_type": "a whole number",
    "list_type": "a list",
    "mapping_type": "an object",
    "model_type": "an object",
    "set_type": "a list",
    "string_type": "a text",
    "tuple_type": "a list",
}
"""What a value of another type should have been, by the type of the error."""

_SAID = {
    "bool_parsing": "must be true or false",
    "enum": "must be {expected}",
    "finite_number": "must be a number that is not infinite",
    "float_parsing": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller number",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "literal_error": "must be {expected}",
    "missing": "is missing or empty",
    "multiple_of": "must be a multiple of {multiple_of}",
    "string_pattern_mismatch": "does not have the form {pattern!r}",
    "string_too_long": "must have {max_length} characters at most",
    "string_too_short": "must have {min_length} characters at least",
    "too_long": "must have {max_length} entries at most",
    "too_short": "must have {min_length} entries at least",
}
"""What to say of an error, by its type, with its context put in."""

_BEGINNING = re.compile(r"\A(?:Value error, |Assertion failed, |(?:Input|String|Value) should (?=be |have |match ))")


def in_plain_words(error: ErrorDetails) -> str:
    """What is wrong, to be read after the name of the setting: "must be a whole number". It repeats no value."""
    type_ = error["type"]
    if type_ in _WANTED:
        return f"must be {_WANTED[type_]}, not {kind_of(error.get('input'))}"
    if type_ in _SAID:
        return _SAID[type_].format_map({key: _short(value) for key, value in error.get("ctx", {}).items()})
    found = _BEGINNING.match(error["msg"])
    rest = error["msg"][found.end() :] if found else error["msg"]
    return f"must {rest}" if found and "should" in found[0] else rest


def _short(value: Any) -> Any:
    """3 for 3.0, as people write it."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
