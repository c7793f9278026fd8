"""What `sre doctor` tells of the on-device model: which one, its weights, what computes it and why."""

from pathlib import Path

from sre_core.errors import NotFoundError
from sre_smollm.embeddings.options import EmbeddingOptions
from sre_smollm.embeddings.places import model_folder
from sre_smollm.local_model import LocalModel, find_model, model_id
from sre_smollm.networks.base import NetworkInfo
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.sources import AUTO, picked

__all__ = ["describe"]

_LARGE = 10**9


def describe(
    settings: SmolLMSettings, embedding: EmbeddingOptions, *, info: NetworkInfo | None = None
) -> dict[str, str]:
    """Words by name. `settings` are those that were given; `info` is of the network, if it was loaded.

    Loads no model and downloads nothing, but a GGUF file is converted if it was not yet. Raises what `find_model`
    raises.
    """
    chosen = picked(settings).model_copy(update={"allow_download": False})
    model = find_model(chosen)
    place = str(model.place)
    return {
        "model": _model(settings, chosen),
        "weights": f"{place}, converted in {model.folder.path}" if model.place.is_file() else place,
        "engine": _engine(settings, model, info),
        "embeddings": _embeddings(embedding),
    }


def _model(settings: SmolLMSettings, chosen: SmolLMSettings) -> str:
    name = model_id(chosen)
    if settings.model != AUTO or settings.weights is not None:
        return name
    if name == "smollm3":
        return f"{name}: the larger default is on this machine"
    return f"{name}: the small default, since smollm3 is not on this machine; sre pull smollm3 fetches it"


def _engine(settings: SmolLMSettings, model: LocalModel, info: NetworkInfo | None) -> str:
    selection = model.selection
    kept = f"{info.weights} weights on {info.device}" if info is not None else _weights(model)
    asked = "" if settings.engine != AUTO else "auto picks it: "
    return f"{selection.engine}, {kept}; {asked}{selection.reason}"


def _weights(model: LocalModel) -> str:
    """How the weights would be kept, as far as that is known before they are loaded."""
    bits = model.settings.quantization
    match model.selection.engine:
        case "llamacpp":
            return "weights as they are in the file"
        case "compiled" if bits in {"int8", "int4"}:
            return f"{bits} weights"
        case "compiled":
            return "int4 weights" if model.folder.parameters >= _LARGE else "int8 weights, int4 where they are that now"
        case _:
            kind = bits if bits in {"int8", "int4"} else model.settings.dtype
            return "bfloat16 or float32 weights" if kind == AUTO else f"{kind} weights"


def _embeddings(options: EmbeddingOptions) -> str:
    try:
        place: Path = model_folder(options)
    except NotFoundError as error:
        return f"{error.message}; skills are chosen without them ({error.hint})"
    return f"{options.model} in {place}"
