"""A model as the catalogue knows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sre_core.messages import Usage

__all__ = ["ANY", "ModelEntry"]

ANY = "*"
"""The name in "ollama/*": an entry for all models of a provider whose names only its user knows."""

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """A model that a connector serves. Sizes are in tokens, prices in US dollars per million tokens.

    `id` is the provider and the name that its API takes, "openai/gpt-5-mini"; `aliases` are other names that people
    use, and `model` is what the API takes where the id says something else. "ollama/*" stands for all models of a
    provider, and says how to reach it. `connector` names the connector class, and `settings` are what it needs to
    reach the provider, as they would stand in `sre.toml`: `{"preset": "groq", "key": {"vault": "groq"}}`. `params`
    are fields of LLMRequest for requests that do not say: `{"temperature": 0.2}`. `features` are capability words of
    LLMConnector. What is None is not known; `cached_price` and `cache_write_price` are those of input tokens that the
    provider's prompt cache gave or took. One that is not `enabled` is refused.
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
    # May hold a secret that its user wrote there.
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    params: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    model: str | None = None
    enabled: bool = True

    @property
    def provider(self) -> str:
        """The part of the id before its first slash; the connector where it has none."""
        head, slash, _ = self.id.partition("/")
        return head if slash else self.connector

    @property
    def name(self) -> str:
        """What the provider's API calls the model: `model`, else the id without the provider."""
        if self.model is not None:
            return self.model
        head, slash, rest = self.id.partition("/")
        return rest if slash else head

    @property
    def is_any(self) -> bool:
        """Whether it stands for all models of its provider, and for none by itself."""
        return self.id == f"{self.provider}/{ANY}"

    def cost(self, usage: Usage) -> float | None:
        """What so many tokens cost, in US dollars; None where the prices are not known."""
        if self.input_price is None or self.output_price is None:
            return None
        cached = self.input_price if self.cached_price is None else self.cached_price
        written = self.input_price if self.cache_write_price is None else self.cache_write_price
        plain = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
        total = plain * self.input_price + usage.cached_tokens * cached + usage.cache_write_tokens * written
        return (total + usage.output_tokens * self.output_price) / _MILLION
