"""Tiny random models of many architectures, and a scheduler that reads them in a random order."""

import random
from collections.abc import Sequence
from pathlib import Path

from sre_smollm.networks.base import KVCache, Network, Row
from sre_smollm.networks.folder import ModelFolder

VOCABULARY = 97
# Large enough that attention matters and that scores lie far apart.
SPREAD = 0.4

_COMMON = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": SPREAD,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_GPT = {"vocab_size": VOCABULARY, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 512}
_GPT_IDS = {"initializer_range": SPREAD, "bos_token_id": 1, "eos_token_id": 2}
_WINDOWS = ["sliding_attention", "full_attention", "sliding_attention", "full_attention"]

# Name of the configuration class, and what it is made with.
TINY = {
    "llama": ("LlamaConfig", _COMMON),
    "smollm3": ("SmolLM3Config", _COMMON),
    "qwen2": ("Qwen2Config", _COMMON),
    "qwen3": ("Qwen3Config", {**_COMMON, "head_dim": 16}),
    "mistral": ("MistralConfig", {**_COMMON, "sliding_window": 11}),
    "gemma2": ("Gemma2Config", {**_COMMON, "head_dim": 8, "sliding_window": 11, "layer_types": _WINDOWS}),
    "gemma3": ("Gemma3TextConfig", {**_COMMON, "head_dim": 8, "sliding_window": 11, "layer_types": _WINDOWS}),
    "phi3": ("Phi3Config", _COMMON),
    "gpt2": ("GPT2Config", {**_GPT, **_GPT_IDS}),
    "gptj": ("GPTJConfig", {**_GPT, **_GPT_IDS, "rotary_dim": 4}),
    "gpt_neox": ("GPTNeoXConfig", {key: value for key, value in _COMMON.items() if key != "num_key_value_heads"}),
}
# Those that rows cannot be packed for.
TINY_PLAIN = {
    "mamba": (
        "MambaConfig",
        {
            "vocab_size": VOCABULARY,
            "hidden_size": 32,
            "state_size": 8,
            "num_hidden_layers": 2,
            "initializer_range": SPREAD,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 0,
        },
    ),
    "rwkv": (
        "RwkvConfig",
        {"vocab_size": VOCABULARY, "hidden_size": 32, "attention_hidden_size": 32, "num_hidden_layers": 2},
    ),
    "bloom": ("BloomConfig", {"vocab_size": VOCABULARY, "hidden_size": 32, "n_layer": 2, "n_head": 4, **_GPT_IDS}),
}


def save_tiny(name: str, folder: Path) -> ModelFolder:
    """A model with random weights, the same each time."""
    import torch
    import transformers

    kind, values = {**TINY, **TINY_PLAIN}[name]
    torch.manual_seed(3)
    model = transformers.AutoModelForCausalLM.from_config(getattr(transformers, kind)(**values))
    model.save_pretrained(str(folder))
    return ModelFolder.read(folder)


def greedy(folder: Path, prompts: Sequence[Sequence[int]], tokens: int) -> list[list[int]]:
    """What `generate` of transformers writes after each prompt, read alone."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32)
    model.generation_config.eos_token_id = None
    found = []
    for prompt in prompts:
        ids = torch.tensor([prompt])
        made = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False)
        found.append(made[0, len(prompt) :].tolist())
    return found


class _Writer:
    def __init__(self, cache: KVCache, prompt: Sequence[int]) -> None:
        self.cache = cache
        self.prompt = len(prompt)
        self.ids = list(prompt)

    @property
    def written(self) -> list[int]:
        return self.ids[self.prompt :]


def shuffled(network: Network, prompts: Sequence[Sequence[int]], tokens: int, seed: int) -> list[list[int]]:
    """The same through a network: random batches, parts of any length, forks and cuts on the way."""
    chance = random.Random(seed)
    writers = [_Writer(network.cache(), prompt) for prompt in prompts]
    while True:
        open_ = [writer for writer in writers if len(writer.written) < tokens]
        if not open_:
            break
        for writer in open_:
            if chance.random() < 0.1:
                writer.cache.truncate(chance.randint(0, writer.cache.length))
            elif chance.random() < 0.1:
                old = writer.cache
                writer.cache = old.fork(chance.randint(0, old.length))
                # What becomes of the old one is nothing to the new one.
                network.forward([Row(cache=old, ids=[chance.randrange(VOCABULARY)] * chance.randint(1, 9))])
                old.close()
        batch = chance.sample(open_, chance.randint(1, len(open_)))
        rows = []
        for writer in batch:
            left = len(writer.ids) - writer.cache.length
            count = left if chance.random() < 0.4 else chance.randint(1, max(1, left))
            if left == 0:
                # It was cut or forked exactly here: the last token is read again.
                writer.cache.truncate(len(writer.ids) - 1)
                count = 1
            start = writer.cache.length
            ids = writer.ids[start : start + count]
            rows.append(Row(cache=writer.cache, ids=ids, keep=chance.randint(start + count == len(writer.ids), count)))
        for writer, row, scores in zip(batch, rows, network.forward(rows), strict=True):
            assert scores.shape == (row.keep, network.info.vocabulary)
            if writer.cache.length == len(writer.ids):
                writer.ids.append(int(scores[-1].argmax()))
    for writer in writers:
        writer.cache.close()
    return [writer.written for writer in writers]
