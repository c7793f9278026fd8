"""What a value is called in messages: by the words of workflow files, and not by those of Python."""

from collections.abc import Mapping
from typing import Any

__all__ = ["kind_of"]


def kind_of(value: Any) -> str:
    """What a value is: "null", "a text", "a list". Never the value itself, which may be a secret at the wrong place."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case bytes():
            return "bytes"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
        case _:
            return f"a value of type {type(value).__name__}"
