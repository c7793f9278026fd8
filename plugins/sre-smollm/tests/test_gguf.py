"""That a GGUF file becomes the same network and tokenizer that it was made from, and that a bad one is told apart."""

import json
import random
import shutil
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType as Kind
from transformers import AutoModelForCausalLM, AutoTokenizer

from sre_core.errors import ConfigError
from sre_smollm.weights import convert as converting
from sre_smollm.weights import gguf_weights
from sre_smollm.weights.convert import converted

from .gguf_files import metadata, saved, tensors, write  # noqa: TID252 -- the folder of tests is no package

TEXTS = (
    "hello hell he'll  HELLO",
    "def f(x):\n\treturn x ** 2  # ½\r\n\n",
    "12345 678 in 2026",
    "नमस्ते ٣٤٥ naïve 👩‍👩‍👧",
    "<|im_start|>user\nhello<|im_end|>\n<think>\n\n</think> <|im_",
    "",
    " \n  \n",
)


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
    assert not list((tmp_path / "cache").glob(".making-*"))


def test_a_llama_with_another_tokenizer_goes_through_transformers(tmp_path, monkeypatch):
    origin = saved(tmp_path / "origin", llama=True)
    values = metadata(origin) | {"tokenizer.ggml.model": "llama"}
    file = write(tmp_path / "a.gguf", values, tensors(origin), architecture="llama")
    asked = []

    def slowly(file: Path, folder: Path) -> None:
        asked.append(file)
        shutil.copytree(origin, folder, dirs_exist_ok=True)

    monkeypatch.setattr(converting, "_convert_other", slowly)
    converted(file, tmp_path / "cache")
    assert asked == [file]


def test_an_architecture_whose_reader_writes_no_tokenizer_is_refused(tmp_path, monkeypatch):
    origin = saved(tmp_path / "origin", llama=True)
    values = metadata(origin) | {"tokenizer.ggml.model": "llama"}
    file = write(tmp_path / "a.gguf", values, tensors(origin), architecture="llama")
    (origin / "tokenizer.json").unlink()
    monkeypatch.setattr(
        converting, "_convert_other", lambda _file, folder: shutil.copytree(origin, folder, dirs_exist_ok=True)
    )
    refused(file, tmp_path / "cache", "tokenizer.json")


def test_an_unknown_architecture_is_refused(smollm3, tmp_path):
    file = write(tmp_path / "a.gguf", metadata(smollm3), tensors(smollm3), architecture="unheard-of")
    refused(file, tmp_path / "cache", "unheard-of")


def refused(file: Path, cache: Path, text: str) -> None:
    with pytest.raises(ConfigError) as error:
        converted(file, cache)
    assert text in str(error.value)
    assert str(file) in str(error.value)
    assert made(cache) == []


def made(cache: Path) -> list[str]:
    """What lies in a cache besides locks and notes."""
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock" and path.name != ".keys")
