"""Whether and how a model is to think in a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sre_aws.bedrock.options import RequestOptions
from sre_aws.bedrock.traits import Thinking, Traits
from sre_core.connectors.llm import LLMRequest
from sre_core.errors import ConfigError, UnsupportedError

__all__ = ["LEAST_BUDGET", "Plan", "thinking"]

LEAST_BUDGET = 1024
"""Tokens: Claude takes no smaller budget."""

_GUESS = 4096
_HARD = frozenset({"xhigh", "max"})
_LARGEST_GUESS = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`fields` are what the model's own part of the request gets, `effort` that of its common part.

    `on` says that the model may think: only then its earlier thoughts go back.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    effort: str | None = None
    on: bool = False

    @property
    def mode(self) -> str | None:
        """How Claude is to think: "enabled" for a budget, "adaptive", "between_tools", "disabled"; None if unsaid."""
        found: str | None = self.fields.get("thinking", {}).get("type")
        return found


def thinking(request: LLMRequest, options: RequestOptions, known: Traits, *, max_tokens: int | None) -> Plan:
    """How the model is to think. A model that cannot be told not to thinks as little as it can, and out of sight.

    Raises ConfigError when there is no room for it in `max_tokens`, when the model takes no budget, or when it is to
    try harder than it can without thinking, and UnsupportedError for a model of which it is not known how to make it
    think.
    """
    if known.thinking is Thinking.NOVA:
        return _nova(request, options)
    effort = options.effort
    if request.thinking is False:
        return _off(known, effort)
    if request.thinking or options.thinking_budget is not None:
        return Plan(fields=_on(options, known, max_tokens=max_tokens), effort=effort, on=True)
    on = known.thinking not in {Thinking.BUDGET, Thinking.ASKED}
    claude = on and known.thinking is not Thinking.UNKNOWN
    shown = {"type": "adaptive", "display": options.thinking_display} if options.thinking_display and claude else None
    return Plan(fields={"thinking": shown} if shown else {}, effort=effort, on=on)


def _nova(request: LLMRequest, options: RequestOptions) -> Plan:
    """An effort is how hard it thinks, and nothing else, so it makes it think."""
    if request.thinking is False:
        return Plan(fields={"reasoningConfig": {"type": "disabled"}})
    if not request.thinking and options.effort is None:
        return Plan()
    config = {"type": "enabled", "maxReasoningEffort": options.effort or "medium"}
    return Plan(fields={"reasoningConfig": config}, on=True)


def _off(known: Traits, effort: str | None) -> Plan:
    if known.capped and effort in _HARD:
        raise ConfigError(
            f"the model has to think to try as hard as effort {effort!r} says",
            hint='use effort "high" or less, or do not ask with thinking=False',
        )
    match known.thinking:
        case Thinking.UNKNOWN:
            return Plan(effort=effort)
        case Thinking.ALWAYS:
            shown = {"type": "adaptive", "display": "omitted"}
            return Plan(fields={"thinking": shown}, effort=effort or "low", on=True)
        case Thinking.BETWEEN:
            return Plan(fields={"thinking": {"type": "between_tools"}}, effort=effort, on=True)
        case _:
            return Plan(fields={"thinking": {"type": "disabled"}}, effort=effort)


def _on(options: RequestOptions, known: Traits, *, max_tokens: int | None) -> dict[str, Any]:
    budget = options.thinking_budget
    if known.thinking is Thinking.UNKNOWN:
        raise UnsupportedError(
            "it is not known how to make this model think", hint="leave thinking out; the option `fields` may hold how"
        )
    if budget is not None and not known.budget:
        raise ConfigError(
            "the model takes no thinking_budget: it finds out by itself how much to think",
            hint="use the option effort, or Claude up to 4.6",
        )
    if known.thinking is not Thinking.BUDGET and budget is None:
        return {"thinking": {"type": "adaptive", "display": options.thinking_display or "summarized"}}
    if budget is None:
        budget = _GUESS if max_tokens is None else max(LEAST_BUDGET, min(_LARGEST_GUESS, max_tokens // 2))
    if max_tokens is not None and budget >= max_tokens:
        raise ConfigError(
            f"max_tokens = {max_tokens} leaves no room to think with {budget} tokens and to answer",
            hint=f"allow more than {budget} tokens, or ask with thinking=False",
        )
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}
