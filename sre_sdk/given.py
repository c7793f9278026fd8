"""Checks the types of what user code gives, where a wrong one would be noticed late and far away."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from sre_core.errors import ConfigError

__all__ = ["check_texts", "check_type", "several"]

T = TypeVar("T")


def check_texts(what: str, value: object) -> None:
    """Raise ConfigError unless `value` is a mapping of text to text, or None."""
    check_type(what, value, Mapping, type(None))
    if isinstance(value, Mapping) and not all(isinstance(one, str) for pair in value.items() for one in pair):
        raise ConfigError(f"{what} cannot be {value!r}", hint='give text for text, as in {"gpt-4o": "smollm3"}')


def check_type(what: str, value: object, *kinds: type) -> None:
    """Raise ConfigError unless `value` is one of `kinds`."""
    if not isinstance(value, kinds):
        wanted = " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds)
        raise ConfigError(f"{what} cannot be {value!r}", hint=f"give {wanted}, not {type(value).__name__}")


def several(what: str, values: Iterable[T]) -> Iterable[T]:
    """The values, unless it is a single one. Raises ConfigError: a str would be taken for a list of its letters."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ConfigError(f"{what} cannot be {values!r}", hint=f"give a list: {what}=[...]")
    return values
