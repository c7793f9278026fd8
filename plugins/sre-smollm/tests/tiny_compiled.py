"""Tiny random models that the compiled network can run, and its packed weights read back without its code."""

from pathlib import Path
from typing import Any

import numpy as np

from sre_smollm.networks.compiled.network import CompiledNetwork, load
from sre_smollm.networks.compiled.packing import Precision, pack
from sre_smollm.networks.compiled.tensors import TensorFile
from sre_smollm.networks.folder import ModelFolder

_COMMON: dict[str, Any] = {
    "vocab_size": 99,
    "hidden_size": 96,
    "intermediate_size": 160,
    "num_hidden_layers": 4,
    "max_position_embeddings": 512,
    "initializer_range": 0.12,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_SCALED = {
    "rope_type": "llama3",
    "rope_theta": 10000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


def _heads(queries: int, shared: int, size: int, **others: Any) -> dict[str, Any]:
    return {"num_attention_heads": queries, "num_key_value_heads": shared, "head_dim": size, **others}


# Name of the configuration class, and what differs.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama, heads of 16": ("LlamaConfig", _heads(6, 2, 16)),
    "llama, heads of 32, one for all": ("LlamaConfig", _heads(5, 1, 32, hidden_size=160)),
    "llama, heads of 64, each its own": ("LlamaConfig", _heads(3, 3, 64)),
    "llama, heads of 128": ("LlamaConfig", _heads(8, 1, 128)),
    "llama, heads of 80": ("LlamaConfig", _heads(4, 2, 80)),
    "llama, untied": ("LlamaConfig", _heads(6, 3, 32, tie_word_embeddings=False)),
    "llama, scaled positions": ("LlamaConfig", _heads(4, 1, 32, rope_parameters=_SCALED)),
    "llama, stretched positions": (
        "LlamaConfig",
        _heads(4, 2, 32, rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}),
    ),
    "smollm3": ("SmolLM3Config", _heads(4, 1, 32, tie_word_embeddings=True)),
    "mistral": ("MistralConfig", _heads(6, 2, 32, sliding_window=None)),
}


def save(folder: Path, name: str, *, dtype: str = "float32", **changes: Any) -> ModelFolder:
    """A model with random weights, the same each time."""
    import torch
    import transformers

    kind, values = MODELS[name]
    options = {"tie_word_embeddings": True, **_COMMON, **values}
    if kind == "SmolLM3Config":
        # Else there is no layer without rotation among so few.
        options["no_rope_layer_interval"] = 2
    torch.manual_seed(3)
    config = getattr(transformers, kind)(**options)
    model = transformers.AutoModelForCausalLM.from_config(config).to(getattr(torch, dtype))
    for norm in [module for module in model.modules() if type(module).__name__.endswith("RMSNorm")]:
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
    model.save_pretrained(str(folder), **changes)
    return ModelFolder.read(folder)


def compiled(folder: ModelFolder, file: Path, precision: Precision = "auto", **options: int) -> CompiledNetwork:
    if not file.exists():
        pack(folder.path, file, precision)
    return load(folder, file, context_tokens=folder.context_tokens, **options)


def unpacked(file: TensorFile, name: str, width: int) -> np.ndarray:
    """A matrix of a packed file as float32, read as the description of the tiles says."""
    place = file.places[name]
    raw = file.data[place.offset : place.offset + place.size].reshape(place.shape[0], width // 32, -1)
    halves = np.ascontiguousarray(raw[..., :32]).view(np.float16).astype(np.float32)
    found = np.zeros((place.shape[0], 16, width // 32, 32), np.float32)
    if raw.shape[-1] == 320:
        lows = np.ascontiguousarray(raw[..., 32:64]).view(np.float16).astype(np.float32)
        for row in range(16):
            for column in range(32):
                chunk, byte = column // 8, column % 4
                pair = raw[..., 64 + 64 * chunk + 4 * row + byte]
                number = pair >> 4 if column % 8 >= 4 else pair & 15
                found[:, row, :, column] = halves[..., row] * number + lows[..., row]
    else:
        for row in range(16):
            for column in range(32):
                number = raw[..., 32 + 64 * (column // 4) + 4 * row + column % 4].astype(np.float32) - 128
                found[:, row, :, column] = halves[..., row] * number
    return found.reshape(-1, width)


def reference(folder: ModelFolder, file: Path) -> Any:
    """The model of transformers in float32 with the weights that are in a packed file."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(folder.path), dtype=torch.float32).eval()
    packed = TensorFile(file)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2:
                matrix = unpacked(packed, name, parameter.shape[1])[: parameter.shape[0]]
                parameter.copy_(torch.from_numpy(matrix))
    return model


def expected(model: Any, ids: list[int]) -> np.ndarray:
    """The scores after each token."""
    import torch

    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].numpy()


def distance(found: np.ndarray, wanted: np.ndarray) -> float:
    """Root mean square error over the spread of the scores."""
    return float(np.sqrt(np.square(found - wanted).mean()) / wanted.std())
