"""A model as the catalogue knows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sre_core.messages import Usage

__all__ = ["ModelEntry"]

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """A model that a connector serves. Sizes are in tokens, prices in US dollars per million tokens.

    `id` is the provider and the name that its API takes, "openai/gpt-5-mini"; `aliases` are other names that people
    use. `connector` names the connector class, and `settings` are what it needs to reach the provider, as they would
    stand in `sre.toml`: `{"preset": "groq", "key": {"vault": "groq"}}`. `features` are capability words of
    LLMConnector. What is None is not known; `cached_price` and `cache_write_price` are those of input tokens that the
    provider's prompt cache gave or took.
    """

    id: str
    connector: str
    context_tokens: int | None = None
    output_tokens: int | None = None
    features: frozenset[str] = frozenset()
    input_price: float | None = None
    output_price: float | None = None
    cached_price: float | None = None
    cache_write_price: float | None = None
    aliases: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        """The part of the id before its first slash; the connector where it has none."""
        head, slash, _ = self.id.partition("/")
        return head if slash else self.connector

    @property
    def name(self) -> str:
        """What the provider's API calls the model: the id without the provider."""
        head, slash, rest = self.id.partition("/")
        return rest if slash else head

    def cost(self, usage: Usage) -> float | None:
        """What so many tokens cost, in US dollars; None where the prices are not known."""
        if self.input_price is None or self.output_price is None:
            return None
        cached = self.input_price if self.cached_price is None else self.cached_price
        written = self.input_price if self.cache_write_price is None else self.cache_write_price
        plain = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
        total = plain * self.input_price + usage.cached_tokens * cached + usage.cache_write_tokens * written
        return (total + usage.output_tokens * self.output_price) / _MILLION
