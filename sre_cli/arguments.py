"""Arguments of skills on the command line: `name=value`, read as the skill's schema has them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from sre_cli.streams import as_text

__all__ = ["parse_arguments", "parse_pairs"]


def parse_arguments(
    words: Sequence[str],
    *,
    files: Sequence[str] = (),
    text: str | None = None,
    schema: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The arguments by name: from `text`, a JSON object, then the words `name=value`, then the files `name=path`.

    A value is text where `schema` wants text, else JSON where it is JSON, else text. Raises click.UsageError.
    """
    found = {} if text is None else _object(text)
    properties: Mapping[str, Any] = (schema or {}).get("properties", {})
    for name, value in parse_pairs(words, "An argument").items():
        found[name] = value if properties.get(name, {}).get("type") == "string" else _value(value)
    for name, place in parse_pairs(files, "A file").items():
        if not Path(place).is_file():
            raise click.UsageError(f"No such file: {place!r}.")
        found[name] = Path(place)
    return found


def parse_pairs(words: Sequence[str], what: str) -> dict[str, str]:
    """`name=value` words as a mapping; the value may have "=" too. Raises click.UsageError."""
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = as_text(word, what).partition("=")
        if not equals or not name:
            raise click.UsageError(f"{what} is written as NAME=VALUE, not {word!r}.")
        if name in pairs:
            raise click.UsageError(f"{what} called {name!r} is given twice.")
        pairs[name] = value
    return pairs


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(as_text(text, "The JSON"))
    except ValueError as error:
        raise click.UsageError(f"The arguments are no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise click.UsageError('The arguments are a JSON object, as in {"name": "value"}.')
    return value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
