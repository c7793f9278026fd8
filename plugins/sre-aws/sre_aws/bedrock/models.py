"""The models on Bedrock that are asked for most, as entries of the catalogue.

They are as https://docs.aws.amazon.com/bedrock/latest/userguide/models.html and https://aws.amazon.com/bedrock/pricing
list them. Prices are those of November 2026 in US dollars for a million tokens on demand, of cache writes those for
five minutes; of claude-haiku-5-5 for prompts up to 100,000 tokens. Regional endpoints of Claude cost a tenth more. What
is None was not found.
"""

import re
from collections.abc import Iterator

from sre_core.connectors.llm import ModelInfo
from sre_core.models.entry import ANY, ModelEntry

__all__ = ["entries", "info"]

_REGIONS = re.compile(r"(?:us-gov|us|eu|apac|ap|jp|au|ca|sa|global)\.")
_CLAUDE = frozenset({"documents", "images", "reasoning", "schema", "tools"})
_NOVA = frozenset({"documents", "images", "tools", "video"})
_EMBED = frozenset({"embed"})
_MILLION = 1_000_000

# name, label, context, longest reply, features, and the prices of input, output, cache reads and cache writes
_Row = tuple[str, str, int, int | None, frozenset[str], float, float | None, float | None, float | None]
_ROWS: tuple[_Row, ...] = (
    ("anthropic.claude-fable-5-1", "Claude Fable 5.1", _MILLION, 128_000, _CLAUDE, 10.0, 50.0, 0.25, 12.5),
    ("anthropic.claude-opus-5-5", "Claude Opus 5.5", _MILLION, 128_000, _CLAUDE, 4.0, 20.0, 0.2, 5.0),
    ("anthropic.claude-opus-5", "Claude Opus 5", _MILLION, 128_000, _CLAUDE, 5.0, 25.0, 0.5, 6.25),
    ("anthropic.claude-sonnet-5-5", "Claude Sonnet 5.5", _MILLION, 128_000, _CLAUDE, 2.0, 10.0, 0.1, 2.5),
    ("anthropic.claude-haiku-5-5", "Claude Haiku 5.5", _MILLION, 128_000, _CLAUDE, 0.1, 0.5, 0.01, 0.125),
    ("anthropic.claude-sonnet-4-6", "Claude Sonnet 4.6", _MILLION, 64_000, _CLAUDE, 3.0, 15.0, 0.3, 3.75),
    (
        "anthropic.claude-haiku-4-5-20251001-v1:0",
        "Claude Haiku 4.5",
        200_000,
        64_000,
        _CLAUDE,
        1.0,
        5.0,
        0.1,
        1.25,
    ),
    ("amazon.nova-2-lite-v1:0", "Amazon Nova 2 Lite", _MILLION, 64_000, _NOVA | {"reasoning"}, 0.3, 2.5, None, None),
    ("amazon.nova-pro-v1:0", "Amazon Nova Pro", 300_000, 10_000, _NOVA, 0.8, 3.2, 0.2, None),
    ("amazon.nova-lite-v1:0", "Amazon Nova Lite", 300_000, 10_000, _NOVA, 0.06, 0.24, 0.015, None),
    ("amazon.nova-micro-v1:0", "Amazon Nova Micro", 128_000, 10_000, frozenset({"tools"}), 0.035, 0.14, 0.00875, None),
    ("amazon.titan-embed-text-v2:0", "Amazon Titan Text Embeddings V2", 8_192, None, _EMBED, 0.02, 0.0, None, None),
    ("cohere.embed-multilingual-v3", "Cohere Embed Multilingual 3", 512, None, _EMBED, 0.1, 0.0, None, None),
)


def entries() -> list[ModelEntry]:
    """One entry for each model, "bedrock/<id>", and one for all others."""
    return [ModelEntry(id=f"bedrock/{ANY}", connector="bedrock"), *_entries()]


def info(model: str) -> ModelInfo:
    """The limits of a model, by its id, that of an inference profile, or an ARN; None for those that are not known."""
    name = model.rpartition("/")[2]
    names = {name, _REGIONS.sub("", name, count=1)}
    known = next((one for one in _entries() if one.name in names), None)
    if known is None:
        return ModelInfo(id=model)
    return ModelInfo(id=model, context_tokens=known.context_tokens, output_tokens=known.output_tokens)


def _entries() -> Iterator[ModelEntry]:
    for name, label, context, output, features, price, written, cached, kept in _ROWS:
        yield ModelEntry(
            id=f"bedrock/{name}",
            connector="bedrock",
            label=label,
            context_tokens=context,
            output_tokens=output,
            features=features,
            input_price=price,
            output_price=written,
            cached_price=cached,
            cache_write_price=kept,
        )
