"""Arguments of skills on the command line: `name=value`, read as the skill's schema has them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sre_cli.streams import as_text

if TYPE_CHECKING:
    from sre_sdk import Agent

__all__ = ["parse_arguments", "parse_pairs", "skill_schema"]

_KINDS: Sequence[tuple[type, frozenset[str]]] = (
    (bool, frozenset({"boolean"})),
    (int, frozenset({"integer", "number"})),
    (float, frozenset({"number"})),
    (str, frozenset({"string"})),
    (list, frozenset({"array"})),
    (dict, frozenset({"object"})),
    (type(None), frozenset({"null"})),
)


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
    pairs = parse_pairs(words, "An argument")
    for name, value in pairs.items():
        found[name] = _value(value, _kinds((schema or {}).get("properties", {}).get(name, {}), schema or {}))
    for name, place in parse_pairs(files, "A file").items():
        if name in pairs:
            raise click.UsageError(f"An argument called {name!r} is given twice.")
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


def skill_schema(agent: "Agent", skill: str) -> Mapping[str, Any] | None:
    """What a skill takes, also one that no model is shown; None when that is not known here."""
    from sre_sdk.endpoint import endpoint_spec

    if skill in agent.skills:
        return agent.skills[skill].parameters
    endpoint = None if agent.workflow is None else agent.workflow.endpoints.get(skill)
    return None if endpoint is None else endpoint_spec(skill, endpoint).parameters


def _object(text: str) -> dict[str, Any]:
    try:
        value = _json(as_text(text, "The JSON"))
    except ValueError as error:
        raise click.UsageError(f"The arguments are no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise click.UsageError('The arguments are a JSON object, as in {"name": "value"}.')
    return value


def _value(text: str, kinds: frozenset[str]) -> Any:
    """JSON, unless only a text can be meant; `kinds` are those that are wanted, none for all."""
    if kinds == {"string"}:
        return text
    try:
        value = _json(text)
    except ValueError:
        return text
    found = next(names for kind, names in _KINDS if isinstance(value, kind))
    return text if "string" in kinds and not found & kinds else value


def _json(text: str) -> Any:
    def refuse(word: str) -> NoReturn:
        raise ValueError(f"{word} is no number")

    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _kinds(schema: Any, whole: Mapping[str, Any]) -> frozenset[str]:
    """The kinds of values that a JSON schema allows by name; none when it does not say."""
    if not isinstance(schema, Mapping):
        return frozenset()
    if "$ref" in schema:
        return _kinds(whole.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2]), {})
    if "anyOf" in schema:
        several = [_kinds(one, whole) for one in schema["anyOf"]]
        return frozenset[str]().union(*several) if all(several) else frozenset()
    kinds = schema.get("type", ())
    return frozenset({kinds} if isinstance(kinds, str) else kinds)
