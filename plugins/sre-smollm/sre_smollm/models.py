"""The models that can be asked for by a short name, for the catalogue."""

from sre_core.models.entry import ModelEntry
from sre_smollm.weights.known import KNOWN, KnownModel

__all__ = ["entries"]

_FEATURES = {
    "text": frozenset({"tools", "schema", "count-tokens"}),
    "images": frozenset({"tools", "schema", "count-tokens", "images"}),
    "embeddings": frozenset({"embed"}),
}


def entries() -> tuple[ModelEntry, ...]:
    """One per model. They cost nothing but the machine."""
    return tuple(_entry(known) for known in KNOWN)


def _entry(known: KnownModel) -> ModelEntry:
    features = _FEATURES[known.kind]
    setting = "embedding_model" if known.kind == "embeddings" else "model"
    return ModelEntry(
        id=f"smollm/{known.name}",
        connector="smollm",
        context_tokens=known.context_tokens,
        features=features | {"reasoning"} if known.name == "smollm3" else features,
        input_price=0,
        output_price=0,
        aliases=(known.hub_id,),
        settings={setting: known.name},
        label=known.hub_id.rpartition("/")[2],
    )
