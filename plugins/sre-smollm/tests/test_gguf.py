"""That a GGUF file becomes the same network and tokenizer that it was made from, and that a bad one is told apart."""

import json
import random
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from safetensors.torch import load_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    SmolLM3Config,
    SmolLM3ForCausalLM,
)

from sre_core.errors import ConfigError
from sre_smollm.weights import convert as converting
from sre_smollm.weights import gguf_weights
from sre_smollm.weights.convert import converted

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
TEXTS = (
    "hello hell he'll  HELLO",
    "def f(x):\n\treturn x ** 2  # ½\r\n\n",
    "12345 678 in 2026",
    "नमस्ते ٣٤٥ naïve 👩‍👩‍👧",
    "<|im_start|>user\nhello<|im_end|>\n<think>\n\n</think> <|im_",
    "",
    " \n  \n",
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


def logits(folder: Path, kind: Kind = Kind.F32, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """What the network says when its matrices have been through `kind` and `dtype`."""
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.inference_mode():
        for weights in network.parameters():
            if weights.dim() > 1:
                rounded = gguf.dequantize(gguf.quantize(weights.numpy(), kind), kind)
                weights.copy_(torch.from_numpy(rounded).to(dtype))
        return network(torch.arange(3, 60).unsqueeze(0)).logits


@pytest.fixture(scope="module")
def smollm3(tmp_path_factory) -> Path:
    return saved(tmp_path_factory.mktemp("smollm3"))


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        (Kind.F32, torch.float32),
        (Kind.F16, torch.float16),
        (Kind.BF16, torch.bfloat16),
        (Kind.Q8_0, torch.float32),
        (Kind.Q4_1, torch.float32),
    ],
)
def test_a_smollm3_file_gives_the_network_that_it_was_made_from(smollm3, tmp_path, kind, dtype):
    file = write(tmp_path / "tiny.gguf", metadata(smollm3), tensors(smollm3), kind)
    folder = converted(file, tmp_path / "cache")
    config = AutoModelForCausalLM.from_pretrained(folder).config
    assert (config.model_type, config.dtype, config.no_rope_layers) == ("smollm3", dtype, [1, 1, 1, 0])
    wanted = logits(smollm3, kind)
    assert wanted.std() > 1
    assert (wanted - logits(folder)).abs().max() < 1e-4


def test_a_smollm3_file_gives_the_tokenizer_that_it_was_made_from(smollm3, tmp_path):
    folder = converted(write(tmp_path / "tiny.gguf", metadata(smollm3), tensors(smollm3)), tmp_path / "cache")
    theirs, ours = AutoTokenizer.from_pretrained(smollm3), AutoTokenizer.from_pretrained(folder)
    for text in TEXTS:
        ids = theirs(text).input_ids
        assert ours(text).input_ids == ids
        assert ours.decode(ids, skip_special_tokens=True) == theirs.decode(ids, skip_special_tokens=True)
    assert ours.special_tokens_map == theirs.special_tokens_map
    assert ours.added_tokens_decoder == theirs.added_tokens_decoder
    assert ours.chat_template == theirs.chat_template


@pytest.mark.parametrize(
    "rope",
    [
        {"rope_type": "default", "rope_theta": 5e5},
        {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0},
        {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0, "original_max_position_embeddings": 256},
        {
            "rope_type": "llama3",
            "rope_theta": 5e5,
            "factor": 32.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        },
    ],
    ids=lambda rope: rope["rope_type"],
)
def test_a_llama_file_keeps_its_own_head_and_its_positions(tmp_path, rope):
    origin = saved(tmp_path / "origin", llama=True, tie_word_embeddings=False, rope_parameters=rope)
    values, weights = metadata(origin), tensors(origin)
    if rope["rope_type"] == "llama3":
        network = AutoModelForCausalLM.from_pretrained(origin)
        plain = 1 / 5e5 ** (torch.arange(0, 16, 2) / 16)
        weights["rope_freqs.weight"] = (plain / network.model.rotary_emb.inv_freq).numpy()
    elif rope["rope_type"] != "default":
        values["llama.rope.scaling.type"] = rope["rope_type"]
        values["llama.rope.scaling.factor"] = rope["factor"]
        values["llama.rope.scaling.original_context_length"] = 256
    folder = converted(write(tmp_path / "a.gguf", values, weights, architecture="llama"), tmp_path / "cache")
    assert (logits(origin) - logits(folder)).abs().max() < 1e-4
    config = json.loads((folder / "config.json").read_text())
    assert config["rope_parameters"] == rope
    assert config["tie_word_embeddings"] is False


def test_a_large_model_is_written_in_parts_and_half_precision(smollm3, tmp_path, monkeypatch):
    monkeypatch.setattr(gguf_weights, "_PART", 100_000)
    monkeypatch.setattr(gguf_weights, "_LARGE", 1000)
    monkeypatch.setattr(gguf_weights, "_BLOCK", 1000)
    file = write(tmp_path / "tiny.gguf", metadata(smollm3), tensors(smollm3), Kind.Q8_0)
    folder = converted(file, tmp_path / "cache")
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 1
    assert AutoModelForCausalLM.from_pretrained(folder).config.dtype == torch.bfloat16
    assert (logits(smollm3, Kind.Q8_0, torch.bfloat16) - logits(folder)).abs().max() < 1e-4


KEYS = [
    "smollm3.block_count",
    "smollm3.context_length",
    "smollm3.embedding_length",
    "smollm3.feed_forward_length",
    "smollm3.attention.head_count",
    "smollm3.attention.layer_norm_rms_epsilon",
    "tokenizer.ggml.model",
    "tokenizer.ggml.tokens",
    "tokenizer.ggml.token_type",
    "tokenizer.ggml.merges",
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("instead", [None, True])
def test_a_missing_or_wrong_key_is_named(smollm3, tmp_path, key, instead):
    values = metadata(smollm3)
    del values[key]
    if instead is not None:
        values[key] = instead
    file = write(tmp_path / "a.gguf", values, tensors(smollm3))
    refused(file, tmp_path / "cache", f"{key!r}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("smollm3.block_count", 3),
        ("smollm3.block_count", 4_000_000_000),
        ("smollm3.embedding_length", 128),
        ("smollm3.feed_forward_length", 95),
        ("smollm3.attention.head_count", 3),
        ("smollm3.attention.head_count_kv", 0),
        ("smollm3.rope.dimension_count", 8),
        ("smollm3.rope.scaling.type", "longrope"),
        ("tokenizer.ggml.pre", "unheard-of"),
        ("tokenizer.ggml.merges", ["h e", "no pair"]),
        ("tokenizer.ggml.token_type", [1, 2]),
        ("tokenizer.ggml.eos_token_id", 5000),
        ("tokenizer.ggml.tokens", [str(number) for number in range(5000)]),
    ],
)
def test_a_value_that_does_not_fit_is_refused(smollm3, tmp_path, key, value):
    file = write(tmp_path / "a.gguf", metadata(smollm3) | {key: value}, tensors(smollm3))
    refused(file, tmp_path / "cache", "cannot be read")


@pytest.mark.parametrize("name", ["token_embd.weight", "blk.3.attn_q.weight", "blk.1.ffn_norm.weight"])
def test_a_missing_tensor_is_refused(smollm3, tmp_path, name):
    weights = tensors(smollm3)
    del weights[name]
    refused(write(tmp_path / "a.gguf", metadata(smollm3), weights), tmp_path / "cache", "cannot be read")


def test_a_tensor_without_a_place_is_refused(smollm3, tmp_path):
    weights = tensors(smollm3) | {"blk.0.ffn_gate_exps.weight": np.zeros((2, 32), np.float32)}
    refused(write(tmp_path / "a.gguf", metadata(smollm3), weights), tmp_path / "cache", "ffn_gate_exps")


def test_a_cut_file_is_refused_wherever_it_is_cut(smollm3, tmp_path):
    whole = write(tmp_path / "a.gguf", metadata(smollm3), tensors(smollm3)).read_bytes()
    cuts = random.Random(0).sample(range(5, len(whole) - 1), 60)
    for size in [*cuts, len(whole) - 64]:
        (tmp_path / "cut.gguf").write_bytes(whole[:size])
        refused(tmp_path / "cut.gguf", tmp_path / "cache", "cannot be read")


def test_a_damaged_header_is_refused_or_changes_nothing_else(smollm3, tmp_path):
    whole = write(tmp_path / "a.gguf", metadata(smollm3), tensors(smollm3)).read_bytes()
    chance = random.Random(0)
    told = 0
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[chance.randrange(4, 2000)] = chance.choice([0, 1, 127, 255])
        (tmp_path / "bad.gguf").write_bytes(damaged)
        try:
            converted(tmp_path / "bad.gguf", tmp_path / "cache")
        except ConfigError:
            told += 1
    assert told > 10
    assert not list((tmp_path / "cache").glob(".converting-*"))


def test_a_llama_with_another_tokenizer_goes_through_transformers(tmp_path, monkeypatch):
    origin = saved(tmp_path / "origin", llama=True)
    values = metadata(origin) | {"tokenizer.ggml.model": "llama"}
    file = write(tmp_path / "a.gguf", values, tensors(origin), architecture="llama")
    asked = []
    monkeypatch.setattr(converting, "_convert_other", lambda file, _folder: asked.append(file))
    converted(file, tmp_path / "cache")
    assert asked == [file]


def test_an_unknown_architecture_is_refused(smollm3, tmp_path):
    file = write(tmp_path / "a.gguf", metadata(smollm3), tensors(smollm3), architecture="unheard-of")
    refused(file, tmp_path / "cache", "unheard-of")


def refused(file: Path, cache: Path, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        converted(file, cache)
    assert text in str(error.value)
    assert [path for path in cache.glob("*") if path.is_dir()] == []
    assert list(cache.glob(".converting-*")) == []
