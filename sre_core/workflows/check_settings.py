"""Checks the settings of a component: their types, and what the component itself finds."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pydantic import Field, ValidationError, create_model

from sre_core.components.base import Component, Flaw
from sre_core.components.node import Node
from sre_core.components.path import MISSING, look_up
from sre_core.components.setting_words import in_plain_words
from sre_core.errors import SREError
from sre_core.workflows.problem import Place, Problem

__all__ = ["settings_problems"]


def settings_problems(node: Node, place: Place, cls: type[Component]) -> list[Problem]:
    """All that is wrong with a node's settings, and with the node itself in its component's eyes."""
    found: list[Problem] = []
    try:
        for flaw in cls.of(node).check():
            found.append(_problem(flaw, place))  # noqa: PERF401 -- what came before an error is kept
    except ValidationError as error:
        found += _wrong_types(error, node, place, cls)
        found += _rest(error, node, place, cls)
    except SREError as error:
        found.append(place.error(error.message, hint=error.hint or ""))
    except Exception as error:  # noqa: BLE001 -- the component is its author's code
        found.append(place.error(f"the component {node.type!r} cannot be made: {type(error).__name__}: {error}"))
    return found


def _problem(flaw: str | Flaw, place: Place) -> Problem:
    if isinstance(flaw, str):
        return place.error(flaw)
    here = place.at("data", flaw.setting) if flaw.setting else place
    return here.error(flaw.message, hint=flaw.hint)


def _wrong_types(error: ValidationError, node: Node, place: Place, cls: type[Component]) -> Iterator[Problem]:
    """One problem for each place: a value that fits none of several types has an error for each of them."""
    words: dict[Place, list[str]] = {}
    hints: dict[Place, str] = {}
    for found in error.errors(include_url=False):
        here = place.at("data", *_keys(found["loc"], node.data))
        words.setdefault(here, []).append(in_plain_words(found))
        if found["type"] == "string_pattern_mismatch":
            # A pattern says little to most people, and the words for the setting say what it is.
            hints[here] = _description(cls, found["loc"])
    for here, said in words.items():
        yield here.error(", or ".join(dict.fromkeys(said)), hint=hints.get(here, ""))


def _description(cls: type[Component], location: tuple[str | int, ...]) -> str:
    fields = cls.settings_type.model_fields.items()
    return next((field.description or "" for name, field in fields if location[0] in (name, field.alias)), "")


def _rest(error: ValidationError, node: Node, place: Place, cls: type[Component]) -> Iterator[Problem]:
    """What the component finds in its other settings."""
    wrong = frozenset(str(found["loc"][0]) if found["loc"] else "" for found in error.errors(include_url=False))
    if "" in wrong:
        return
    # A check may stumble over what is not there, which says nothing about the file.
    with suppress(Exception):
        for flaw in _without(wrong, node, cls).check():
            if not isinstance(flaw, Flaw) or flaw.setting not in wrong:
                yield _problem(flaw, place)


def _without(wrong: frozenset[str], node: Node, cls: type[Component]) -> Component:
    """The component as it is without its wrong settings, also without those that it needs."""
    needed: dict[str, Any] = {
        name: (Any, Field(default=None, alias=field.alias))
        for name, field in cls.settings_type.model_fields.items()
        if field.is_required() and not wrong.isdisjoint((name, field.alias))
    }
    base = cls.settings_type
    settings_type = create_model(base.__name__, __base__=base, **needed) if needed else base
    kept = {key: value for key, value in node.data.items() if key not in wrong}
    return cls(replace(node, data=kept), settings_type.model_validate(kept))


def _keys(location: tuple[str | int, ...], data: Mapping[str, Any]) -> list[str | int]:
    """Where in `data` an error of pydantic is; its first key may be of a setting that is missing."""
    keys = list(location[:1])
    value = data.get(str(location[0])) if location else None
    for key in location[1:]:
        inner = look_up(value, (str(key),))
        # Of several types that a value may have, pydantic puts the name of each in between.
        if inner is not MISSING:
            keys.append(key)
            value = inner
    return keys
