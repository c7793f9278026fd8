"""A model as the catalogue knows it."""

from dataclasses import dataclass

__all__ = ["ModelEntry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """A model that a connector serves. Sizes are in tokens, prices in US dollars per million tokens."""

    id: str
    connector: str
    context_tokens: int | None = None
    output_tokens: int | None = None
    features: frozenset[str] = frozenset()
    input_price: float | None = None
    output_price: float | None = None
    aliases: tuple[str, ...] = ()
