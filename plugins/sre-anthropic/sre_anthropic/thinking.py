"""Whether and how a model is to think in a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sre_anthropic.options import RequestOptions
from sre_anthropic.traits import Thinking, Traits
from sre_core.connectors.llm import LLMRequest
from sre_core.errors import ConfigError

__all__ = ["LEAST_BUDGET", "Plan", "thinking"]

LEAST_BUDGET = 1024
"""Tokens: the API takes no smaller budget."""

_HARD = frozenset({"xhigh", "max"})
_LARGEST_GUESS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`config` is the field "thinking", None to leave it out; `effort` is that of the field "output_config".

    `on` says that the model may think: only then its earlier thoughts go back.
    """

    config: Mapping[str, Any] | None = None
    effort: str | None = None
    on: bool = False

    @property
    def mode(self) -> str | None:
        """The type of `config`: "enabled" for a budget, "adaptive", "between_tools", "disabled"; None without one."""
        return None if self.config is None else self.config["type"]


def thinking(request: LLMRequest, options: RequestOptions, known: Traits, *, max_tokens: int) -> Plan:
    """How the model is to think. A model that cannot be told not to thinks as little as it can, and out of sight.

    Raises ConfigError when there is no room for it in `max_tokens`, when the model takes no budget, or when it is to
    try harder than it can without thinking.
    """
    effort = options.effort
    if request.thinking is False:
        return _off(known, effort)
    if request.thinking or options.thinking_budget is not None:
        return Plan(config=_on(options, known, max_tokens=max_tokens), effort=effort, on=True)
    on = known.thinking not in {Thinking.BUDGET, Thinking.ASKED}
    shown = {"type": "adaptive", "display": options.thinking_display} if options.thinking_display and on else None
    return Plan(config=shown, effort=effort, on=on)


def _off(known: Traits, effort: str | None) -> Plan:
    if known.capped and effort in _HARD:
        raise ConfigError(
            f"the model has to think to try as hard as effort {effort!r} says",
            hint='use effort "high" or less, or do not ask with thinking=False',
        )
    match known.thinking:
        case Thinking.ALWAYS:
            return Plan(config={"type": "adaptive", "display": "omitted"}, effort=effort or "low", on=True)
        case Thinking.BETWEEN:
            return Plan(config={"type": "between_tools"}, effort=effort, on=True)
        case _:
            return Plan(config={"type": "disabled"}, effort=effort)


def _on(options: RequestOptions, known: Traits, *, max_tokens: int) -> dict[str, Any]:
    budget = options.thinking_budget
    if budget is not None and not known.budget:
        raise ConfigError(
            "the model takes no thinking_budget: it finds out by itself how much to think",
            hint="use the option effort, or a model up to 4.6",
        )
    if known.thinking is not Thinking.BUDGET and budget is None:
        return {"type": "adaptive", "display": options.thinking_display or "summarized"}
    if budget is None:
        budget = max(LEAST_BUDGET, min(_LARGEST_GUESS, max_tokens // 2))
    if budget >= max_tokens:
        raise ConfigError(
            f"max_tokens = {max_tokens} leaves no room to think with {budget} tokens and to answer",
            hint=f"allow more than {budget} tokens, or ask with thinking=False",
        )
    shown = {"display": options.thinking_display} if options.thinking_display else {}
    return {"type": "enabled", "budget_tokens": budget, **shown}
