"""The models that Anthropic lists: what stands in `models.toml`, as entries of the catalogue."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from sre_core.connectors.llm import ModelInfo
from sre_core.models.entry import ModelEntry

__all__ = ["FEATURES", "entries", "info"]

FEATURES = frozenset({"documents", "images", "reasoning", "schema", "tools"})
"""What all listed models can do."""


def entries() -> list[ModelEntry]:
    """One entry for each model, "anthropic/<name>"."""
    return [_entry(name, facts) for name, facts in _facts().items()]


def info(model: str) -> ModelInfo:
    """The limits of a model, by name or by the name without its date; None for those that are not known."""
    found: Mapping[str, Any] = _facts().get(model, {})
    if not found:
        found = next((facts for facts in _facts().values() if model in facts.get("aliases", ())), {})
    return ModelInfo(id=model, context_tokens=found.get("context_tokens"), output_tokens=found.get("output_tokens"))


def _entry(name: str, facts: Mapping[str, Any]) -> ModelEntry:
    plain = {key: value for key, value in facts.items() if key != "aliases"}
    return ModelEntry(
        id=f"anthropic/{name}",
        connector="anthropic",
        features=FEATURES,
        aliases=tuple(facts.get("aliases", ())),
        settings={"key": {"vault": "anthropic"}},
        **plain,
    )


@cache
def _facts() -> Mapping[str, Mapping[str, Any]]:
    # A file that never changes, read when it is first asked for.
    return tomllib.loads(files("sre_anthropic").joinpath("models.toml").read_text(encoding="utf-8"))
