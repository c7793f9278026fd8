"""Writes GGUF files of tiny random networks, in the way that llama.cpp's converter does."""

import json
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind
from safetensors.torch import load_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, SmolLM3Config, SmolLM3ForCausalLM

__all__ = ["metadata", "saved", "tensors", "write"]

NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)


def tokenizer() -> PreTrainedTokenizerFast:
    merges = [("h", "e"), ("l", "l"), ("he", "ll"), ("Ġ", "hell"), ("1", "2"), ("Ċ", "Ċ")]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*letters, *(left + right for left, right in merges)])}
    raw = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    raw.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(WORDS), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    raw.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in ("<think>", "</think>")])
    made = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    made.chat_template = "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}"
    return made


def saved(folder: Path, *, llama: bool = False, **extra: object) -> Path:
    """A random network with a sharp head, so that differences show."""
    words = tokenizer()
    values = {
        "vocab_size": len(words) + 3,  # padded, as real ones are
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.2,
        "rms_norm_eps": 1e-5,
        "eos_token_id": words.eos_token_id,
        "pad_token_id": words.pad_token_id,
        "bos_token_id": None,
        **extra,
    }
    torch.manual_seed(0)
    network = LlamaForCausalLM(LlamaConfig(**values)) if llama else SmolLM3ForCausalLM(SmolLM3Config(**values))
    network.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def metadata(folder: Path) -> dict[str, object]:
    config = json.loads((folder / "config.json").read_text())
    table = json.loads((folder / "tokenizer.json").read_text())
    name = config["model_type"]
    tokens = {number: token for token, number in table["model"]["vocab"].items()}
    kinds = dict.fromkeys(tokens, gguf.TokenType.NORMAL)
    for added in table["added_tokens"]:
        tokens[added["id"]] = added["content"]
        kinds[added["id"]] = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
    return {
        f"{name}.block_count": config["num_hidden_layers"],
        f"{name}.context_length": config["max_position_embeddings"],
        f"{name}.embedding_length": config["hidden_size"],
        f"{name}.feed_forward_length": config["intermediate_size"],
        f"{name}.attention.head_count": config["num_attention_heads"],
        f"{name}.attention.head_count_kv": config["num_key_value_heads"],
        f"{name}.attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
        f"{name}.rope.freq_base": float(config["rope_parameters"]["rope_theta"]),
        f"{name}.rope.dimension_count": config["hidden_size"] // config["num_attention_heads"],
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "smaug-bpe",
        "tokenizer.ggml.tokens": [tokens[number] for number in range(len(tokens))],
        "tokenizer.ggml.token_type": [int(kinds[number]) for number in range(len(tokens))],
        "tokenizer.ggml.merges": [" ".join(merge) for merge in table["model"]["merges"]],
        "tokenizer.ggml.eos_token_id": config["eos_token_id"],
        "tokenizer.ggml.padding_token_id": config["pad_token_id"],
        "tokenizer.chat_template": (folder / "chat_template.jinja").read_text(),
    }


def tensors(folder: Path) -> dict[str, np.ndarray]:
    config = json.loads((folder / "config.json").read_text())
    heads = {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}
    found = {}
    for name, weights in load_file(folder / "model.safetensors").items():
        stem, suffix = name.rsplit(".", 1)
        values = weights.numpy()
        if count := heads.get(stem.rpartition(".")[2]):
            # llama.cpp's converter does so, to rotate neighbours instead of halves.
            halves = values.reshape(count, 2, values.shape[0] // count // 2, *values.shape[1:])
            values = halves.swapaxes(1, 2).reshape(values.shape)
        layer = stem.split(".")[2] if stem.startswith("model.layers.") else None
        short = NAMES[stem.removeprefix(f"model.layers.{layer}.")]
        found[f"blk.{layer}.{short}.{suffix}" if layer else f"{short}.{suffix}"] = np.ascontiguousarray(values)
    return found


def write(
    file: Path,
    values: dict[str, object],
    weights: dict[str, np.ndarray],
    kind: Kind = Kind.F32,
    architecture: str | None = "smollm3",
) -> Path:
    """Vectors stay single precision, as llama.cpp keeps them."""
    writer = gguf.GGUFWriter(file, architecture or "")
    adders = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
    for key, value in values.items():
        adders.get(type(value), writer.add_array)(key, value)
    for name, tensor in weights.items():
        own = kind if tensor.ndim > 1 else Kind.F32
        writer.add_tensor(name, gguf.quantize(tensor, own), raw_dtype=own)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
