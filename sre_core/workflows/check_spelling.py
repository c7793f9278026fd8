"""Finds settings that are likely misspelt: else what they say would count for nothing, without a word."""

import difflib
from collections.abc import Iterator, Sequence

from sre_core.components.base import Component
from sre_core.components.node import Node
from sre_core.workflows.problem import Place, Problem

__all__ = ["spelling_problems"]

# Editors write keys of their own, some of which are like settings: "searchCountry" beside "webSearchCountry".
_ALIKE = 0.85
_MOST_MORE = 2


def spelling_problems(node: Node, place: Place, cls: type[Component]) -> Iterator[Problem]:
    """Keys that are no setting of the type, and like one that the node does not have."""
    if cls.settings_type.model_config.get("extra") != "ignore":
        return
    names = {name: field.alias or name for name, field in cls.settings_type.model_fields.items()}
    known = {*names, *names.values()}
    missing = {file.lower(): file for name, file in names.items() if name not in node.data and file not in node.data}
    for key, value in node.data.items():
        if key in known or key.startswith("_") or value in (None, ""):
            continue
        meant = _meant(key.lower(), list(missing))
        if meant is not None:
            yield place.at("data", key).warning(
                f"the type {node.type!r} has no setting {key!r}", hint=f"did you mean {missing[meant]!r}?"
            )


def _meant(key: str, names: Sequence[str]) -> str | None:
    swapped = [name for name in names if sorted(name) == sorted(key)]
    like = [name for name in names if abs(len(name) - len(key)) <= _MOST_MORE]
    return next(iter(swapped or difflib.get_close_matches(key, like, n=1, cutoff=_ALIKE)), None)
