"""From the metadata of a GGUF file to the configuration of a Llama or SmolLM3 network."""

from collections.abc import Mapping
from typing import Any

from sre_smollm.weights.gguf_header import Header, unreadable

__all__ = ["ARCHITECTURES", "config", "dense"]

ARCHITECTURES = ("llama", "smollm3")
_ROPE_FACTORS = "rope_freqs.weight"
# Llama 3.1 and later: what the factors in the file were computed with, next to the one that is read from them.
_LLAMA3 = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}


def dense(header: Header) -> bool:
    """Whether the network has no experts."""
    return header.whole(f"{header.text('general.architecture')}.expert_count", 0) == 0


def config(header: Header) -> Any:
    """The configuration object of transformers. Raises ConfigError naming the key that is missing or wrong."""
    from huggingface_hub.errors import StrictDataclassError
    from transformers import LlamaConfig, SmolLM3Config

    name = header.text("general.architecture")
    heads = header.whole(f"{name}.attention.head_count")
    hidden = header.whole(f"{name}.embedding_length")
    if not heads:
        raise header.wrong(f"{name}.attention.head_count", "a number above 0", heads)
    width = header.whole(f"{name}.attention.key_length", hidden // heads)
    # Before a network of that size is made.
    rows = _rows(header, "blk.0.attn_q.weight")
    if rows != heads * width:
        raise header.wrong(f"{name}.attention.head_count", f"a divisor of {rows}, with heads of {width}", heads)
    pairs = header.whole(f"{name}.attention.head_count_kv", heads)
    if not pairs or heads % pairs:
        raise header.wrong(f"{name}.attention.head_count_kv", f"a divisor of {heads}", pairs)
    layers = header.whole(f"{name}.block_count")
    if not layers or _rows(header, f"blk.{layers - 1}.attn_q.weight") != rows:
        raise header.wrong(f"{name}.block_count", "the number of layers", layers)
    rotated = header.whole(f"{name}.rope.dimension_count", width)
    if rotated != width:
        raise header.wrong(f"{name}.rope.dimension_count", f"{width}, the size of a head", rotated)
    values: dict[str, Any] = {
        "hidden_size": hidden,
        "head_dim": width,
        "num_attention_heads": heads,
        "num_key_value_heads": pairs,
        "num_hidden_layers": layers,
        "intermediate_size": header.whole(f"{name}.feed_forward_length"),
        "max_position_embeddings": header.whole(f"{name}.context_length"),
        "rms_norm_eps": _single(header.number(f"{name}.attention.layer_norm_rms_epsilon")),
        "vocab_size": _rows(header, "token_embd.weight"),
        "tie_word_embeddings": "output.weight" not in header.tensors,
        "attention_bias": "blk.0.attn_q.bias" in header.tensors,
        "mlp_bias": "blk.0.ffn_gate.bias" in header.tensors,
        "rope_parameters": _rope(header, name),
        **_marks(header),
    }
    # The layers of SmolLM3 without positions, every fourth one, are in no key of the file: they belong to the name.
    try:
        made = SmolLM3Config(**values) if name == "smollm3" else LlamaConfig(**values)
    except (StrictDataclassError, ValueError) as error:
        raise unreadable(header.file, error) from error
    if _ROPE_FACTORS in header.tensors:
        _use_factors(header, made)
    return made


def _single(value: float) -> float:
    """The shortest number that is the same in single precision: 1e-05, not 9.999999747378752e-06."""
    import numpy as np

    return float(str(np.float32(value)))


def _rows(header: Header, name: str) -> int:
    if name not in header.tensors:
        raise unreadable(header.file, f"it has no tensor {name!r}")
    return header.tensors[name].shape[0]


def _marks(header: Header) -> dict[str, Any]:
    """Ids of the tokens that begin, end and fill a text; None where the file has none, since defaults would differ."""
    found: dict[str, Any] = {}
    for key, theirs in (("bos_token_id", "bos"), ("eos_token_id", "eos"), ("pad_token_id", "padding")):
        name = f"tokenizer.ggml.{theirs}_token_id"
        found[key] = header.whole(name) if name in header.metadata else None
    turn = header.metadata.get("tokenizer.ggml.eot_token_id")
    if isinstance(turn, int) and turn != found["eos_token_id"]:
        found["eos_token_id"] = [mark for mark in (found["eos_token_id"], turn) if mark is not None]
    return found


def _rope(header: Header, name: str) -> dict[str, Any]:
    theta = _single(header.number(f"{name}.rope.freq_base", 10_000.0))
    kind = header.text(f"{name}.rope.scaling.type", "none")
    if kind == "none":
        return {"rope_type": "default", "rope_theta": theta}
    if kind not in {"linear", "yarn"}:
        raise header.wrong(f"{name}.rope.scaling.type", "none, linear or yarn", kind)
    found = {"rope_type": kind, "rope_theta": theta, "factor": _single(header.number(f"{name}.rope.scaling.factor"))}
    if kind == "yarn":
        original = header.whole(f"{name}.rope.scaling.original_context_length")
        found["original_max_position_embeddings"] = original
    return found


def _use_factors(header: Header, made: Any) -> None:
    """Finds the Llama 3.1 scaling whose factors the file has, and puts it into the configuration."""
    import torch
    from gguf import GGMLQuantizationType
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    tensor = header.tensors[_ROPE_FACTORS]
    if tensor.kind != GGMLQuantizationType.F32 or tensor.shape != (made.head_dim // 2,):
        raise unreadable(header.file, f"tensor {_ROPE_FACTORS!r} is {tensor.kind.name} of shape {tensor.shape}")
    factors = torch.from_numpy(tensor.data.copy()).view(torch.float32)
    made.rope_parameters = _scaled(made.rope_parameters, float(factors.max()))
    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](made, "cpu")
    steps = torch.arange(0, made.head_dim, 2, dtype=torch.float32) / made.head_dim
    plain = 1.0 / made.rope_parameters["rope_theta"] ** steps
    if not torch.allclose(plain / factors, scaled, rtol=1e-4, atol=0):
        raise unreadable(header.file, f"the factors in {_ROPE_FACTORS!r} are no Llama 3.1 scaling")


def _scaled(plain: Mapping[str, Any], factor: float) -> dict[str, Any]:
    return {**_LLAMA3, "rope_type": "llama3", "rope_theta": plain["rope_theta"], "factor": factor}
