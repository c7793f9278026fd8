"""How a model is told to think: by levels since Gemini 3, by a budget of tokens before."""

import re
from typing import Any

from sre_core.errors import ConfigError
from sre_google.models import levels

__all__ = ["generation", "thinking_config"]

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?(?=-|$)")
_LATEST = re.compile(r"gemini-[a-z-]+$")
_BY_LEVELS = (3, 0)
# What every model with levels knows.
_LOWEST = "low"
# Gemini 2.5 Pro cannot stop thinking; this is the least it does.
_LEAST_BUDGET_OF_PRO = 128


def generation(model: str) -> tuple[int, int] | None:
    """The version in a model's name, (3, 8) of "gemini-3.8-flash"; None if it has none, as a tuned one.

    Names without a number, "gemini-flash-latest", stand for the newest there is, and count as (3, 0).
    """
    found = _VERSION.search(model)
    if found is not None:
        return int(found[1]), int(found[2] or 0)
    return _BY_LEVELS if _LATEST.search(model) else None


def thinking_config(model: str, thinking: bool | None, level: str | None, budget: int | None) -> dict[str, Any]:  # noqa: FBT001
    """The `thinkingConfig` of a request; empty where the model's own habit is wanted.

    `thinking` True asks to see what the model thinks, and False to think as little as it can: models since Gemini 3,
    and Gemini 2.5 Pro, cannot stop altogether. `level` and `budget` (in tokens) bound it otherwise. Raises
    ConfigError for a bound that the model does not take.
    """
    version = generation(model)
    if thinking is False:
        return _least(model, version)
    config: dict[str, Any] = {"includeThoughts": True} if thinking else {}
    if level is not None:
        _check_level(model, version, level)
        config["thinkingLevel"] = level.upper()
    elif budget is not None:
        if version is not None and version >= _BY_LEVELS:
            raise ConfigError(f"{model!r} takes no thinking_budget", hint="set thinking_level instead")
        config["thinkingBudget"] = budget
    elif thinking and version is not None and version < _BY_LEVELS:
        # As much as it finds useful.
        config["thinkingBudget"] = -1
    return config


def _least(model: str, version: tuple[int, int] | None) -> dict[str, Any]:
    if version is None:
        return {}
    if version >= _BY_LEVELS:
        return {"thinkingLevel": next(iter(levels(model)), _LOWEST).upper()}
    return {"thinkingBudget": _LEAST_BUDGET_OF_PRO if "-pro" in model else 0}


def _check_level(model: str, version: tuple[int, int] | None, level: str) -> None:
    if version is not None and version < _BY_LEVELS:
        raise ConfigError(f"{model!r} takes no thinking_level", hint="set the option thinking_budget instead")
    known = levels(model)
    if known and level not in known:
        raise ConfigError(f"{model!r} knows no thinking_level {level!r}", hint=f"it knows {', '.join(known)}")
