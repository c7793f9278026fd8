"""The catalogue: models of the providers that presets reach, read from `models.toml`.

Prices are those of the providers' public lists of November 2026, in US dollars per million tokens, for the usual
service and for prompts of usual length.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sre_core.models.entry import ModelEntry
from sre_openai.presets import PRESETS

__all__ = ["model_entries"]

_FILE = Path(__file__).with_name("models.toml")


def model_entries() -> list[ModelEntry]:
    """All entries, provider by provider."""
    providers = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return [_entry(provider, name, data) for provider, models in providers.items() for name, data in models.items()]


def _entry(provider: str, name: str, data: Mapping[str, Any]) -> ModelEntry:
    preset = PRESETS[provider]
    settings: dict[str, Any] = {"preset": provider}
    if preset.needs_key:
        settings["key"] = {"vault": provider}
    prices = data.get("prices", ())
    return ModelEntry(
        id=f"{provider}/{name}",
        connector="openai",
        context_tokens=data.get("context"),
        output_tokens=data.get("output"),
        features=frozenset(data.get("features", ())),
        input_price=_price(prices, 0),
        output_price=_price(prices, 1),
        cached_price=_price(prices, 2),
        cache_write_price=_price(prices, 3),
        aliases=tuple(data.get("aliases", ())),
        settings=settings | data.get("settings", {}),
    )


def _price(prices: list[float], place: int) -> float | None:
    return float(prices[place]) if place < len(prices) else None
