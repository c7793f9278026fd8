"""The models that Google lists: what stands in `models.toml`, as entries of the catalogue."""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from sre_core.connectors.llm import ModelInfo
from sre_core.models.entry import ANY, ModelEntry

__all__ = ["entries", "info", "levels"]

_SETTINGS: Mapping[str, Any] = {"key": {"vault": "google"}}


def entries() -> list[ModelEntry]:
    """One entry for each model, "google/<name>", and one for all others."""
    others = ModelEntry(id=f"google/{ANY}", connector="google", settings=_SETTINGS)
    return [others, *(_entry(name, facts) for name, facts in _facts().items())]


def info(model: str) -> ModelInfo:
    """The limits of a model; None for those that are not known."""
    facts = _facts().get(model, {})
    return ModelInfo(id=model, context_tokens=facts.get("context_tokens"), output_tokens=facts.get("output_tokens"))


def levels(model: str) -> Sequence[str]:
    """The levels of thinking that a model knows, lowest first; empty if it knows none, or is not known itself."""
    found: Sequence[str] = _facts().get(model.rpartition("/")[2], {}).get("thinking", ())
    return found


def _entry(name: str, facts: Mapping[str, Any]) -> ModelEntry:
    plain = {key: value for key, value in facts.items() if key not in {"aliases", "features", "thinking"}}
    return ModelEntry(
        id=f"google/{name}",
        connector="google",
        features=frozenset(facts["features"]),
        aliases=tuple(facts.get("aliases", ())),
        settings=_SETTINGS,
        **plain,
    )


@cache
def _facts() -> Mapping[str, Mapping[str, Any]]:
    # A file that never changes, read when it is first asked for.
    return tomllib.loads(files("sre_google").joinpath("models.toml").read_text(encoding="utf-8"))
