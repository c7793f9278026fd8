"""Writes the tensors of a GGUF file as safetensors, a part at a time."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sre_smollm.weights.gguf_header import Header, Tensor, unreadable

if TYPE_CHECKING:
    import torch

__all__ = ["write_weights"]

# Bytes of one file; twice as much is held in memory.
_PART = 10**9
# Numbers that are turned into floats at once.
_BLOCK = 2**24
# Parameters above which quantised weights are written in bfloat16: twice as small, and far finer than they are.
_LARGE = 10**9
# Tables that the configuration stands for.
_COMPUTED = re.compile(r"rope_freqs\.weight|blk\.\d+\.attn_rot_embd\.weight")
_PLAIN = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_ARCHITECTURES = {"llama": "LlamaForCausalLM", "smollm3": "SmolLM3ForCausalLM"}
_NAME = re.compile(r"(?:blk\.(?P<layer>\d+)\.)?(?P<part>\w+)\.(?P<suffix>weight|bias)")


def write_weights(header: Header, config: Any, folder: Path) -> None:
    """Write config.json and the safetensors of a model, in parts of a gigabyte.

    float32, float16 and bfloat16 stay what they are; quantised weights become float32, in a model of more than a
    billion parameters bfloat16. Raises ConfigError when a tensor is missing, unknown, or of a wrong shape.
    """
    from safetensors.torch import save_file

    tensors = _named(header, config)
    parts = _parts(header, tensors)
    places: dict[str, str] = {}
    written = 0
    for number, names in enumerate(parts, start=1):
        file = "model.safetensors" if len(parts) == 1 else f"model-{number:05}-of-{len(parts):05}.safetensors"
        held = {name: _weights(header, name, tensors[name], config) for name in names}
        written += sum(weights.nbytes for weights in held.values())
        places.update(dict.fromkeys(held, file))
        save_file(held, folder / file, metadata={"format": "pt"})
    if len(parts) > 1:
        index = {"metadata": {"total_size": written}, "weight_map": places}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
    config.architectures = [_ARCHITECTURES[config.model_type]]
    config.dtype = _dtype(header, header.tensors["blk.0.ffn_down.weight"])
    config.save_pretrained(str(folder))


def _named(header: Header, config: Any) -> dict[str, Tensor]:
    """The tensors by the names that the network has for them; all of them are there, and fit."""
    import torch
    from transformers import AutoModelForCausalLM

    networks: Any = AutoModelForCausalLM  # untyped functions
    found: dict[str, Tensor] = {}
    for name, tensor in header.tensors.items():
        if not _COMPUTED.fullmatch(name):
            found[_translated(header, name)] = tensor
    with torch.device("meta"):
        network = networks.from_config(config)
    wanted = {name: tuple(weights.shape) for name, weights in network.state_dict().items()}
    if config.tie_word_embeddings:
        wanted.pop("lm_head.weight", None)
    for name, shape in wanted.items():
        if name not in found:
            raise unreadable(header.file, f"it has no tensor for {name!r}")
        if found[name].shape != shape:
            raise unreadable(header.file, f"tensor {found[name].name!r} has shape {found[name].shape}, not {shape}")
    for name, tensor in found.items():
        if name not in wanted:
            raise unreadable(header.file, f"its network has no place for tensor {tensor.name!r}")
    return found


def _translated(header: Header, name: str) -> str:
    match = _NAME.fullmatch(name)
    part = match and (_LAYER if match["layer"] else _PLAIN).get(match["part"])
    if not match or not part:
        raise unreadable(header.file, f"its network has no place for tensor {name!r}")
    return f"model.layers.{match['layer']}.{part}.{match['suffix']}" if match["layer"] else f"{part}.{match['suffix']}"


def _parts(header: Header, tensors: dict[str, Tensor]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    size = 0
    for name, tensor in tensors.items():
        bytes_ = _count(tensor) * _dtype(header, tensor).itemsize
        if parts[-1] and size + bytes_ > _PART:
            parts.append([])
            size = 0
        parts[-1].append(name)
        size += bytes_
    return parts


def _weights(header: Header, name: str, tensor: Tensor, config: Any) -> "torch.Tensor":
    import torch

    weights = torch.empty(tensor.shape, dtype=_dtype(header, tensor))
    rows = weights.reshape(-1, tensor.shape[-1])
    for start, stop, numbers in _floats(header, tensor, len(rows)):
        rows[start:stop] = numbers
    if ".q_proj." in name:
        return _unpermuted(weights, config.num_attention_heads)
    return _unpermuted(weights, config.num_key_value_heads) if ".k_proj." in name else weights


def _floats(header: Header, tensor: Tensor, rows: int) -> "Iterator[tuple[int, int, torch.Tensor]]":
    """The numbers of a tensor, some rows at a time."""
    import numpy as np
    import torch
    from gguf import GGMLQuantizationType, dequantize

    data = tensor.data.reshape(rows, -1)
    step = max(_BLOCK // tensor.shape[-1], 1)
    for start in range(0, rows, step):
        # A copy, since mapped bytes may lie unaligned and are read-only.
        block = np.array(data[start : start + step])
        match tensor.kind:
            case GGMLQuantizationType.BF16:
                numbers = torch.from_numpy(block).view(torch.bfloat16)
            case GGMLQuantizationType.F16:
                numbers = torch.from_numpy(block).view(torch.float16)
            case GGMLQuantizationType.F32:
                numbers = torch.from_numpy(block).view(torch.float32)
            case _:
                try:
                    numbers = torch.from_numpy(dequantize(block, tensor.kind))
                except NotImplementedError as error:
                    raise unreadable(header.file, f"tensor {tensor.name!r}: {error}") from error
        yield start, start + len(block), numbers


def _unpermuted(weights: "torch.Tensor", heads: int) -> "torch.Tensor":
    """Undo the order of a GGUF file, where the two numbers that are rotated together lie side by side."""
    return weights.reshape(heads, -1, 2, *weights.shape[1:]).transpose(1, 2).reshape(weights.shape).contiguous()


def _dtype(header: Header, tensor: Tensor) -> "torch.dtype":
    import torch
    from gguf import GGMLQuantizationType

    match tensor.kind:
        case GGMLQuantizationType.F32:
            return torch.float32
        case GGMLQuantizationType.F16:
            return torch.float16
        case GGMLQuantizationType.BF16:
            return torch.bfloat16
    parameters = sum(_count(each) for each in header.tensors.values())
    return torch.bfloat16 if parameters > _LARGE else torch.float32


def _count(tensor: Tensor) -> int:
    found = 1
    for size in tensor.shape:
        found *= size
    return found
