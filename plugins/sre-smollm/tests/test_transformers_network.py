"""The reference network says, token for token, what plain generate says, however its rows are batched and cut."""

import random
from pathlib import Path

import pytest

from sre_core.errors import ConfigError
from sre_smollm import SmolLMSettings
from sre_smollm.networks.base import OutOfMemoryError, Row
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.networks.transformers_network import Placement, load
from sre_smollm.weights.sources import resolve

from .tiny_networks import TINY, TINY_PLAIN, VOCABULARY, greedy, save_tiny, shuffled  # noqa: TID252

# One thread: with more, a busy machine makes every small product wait.
FLOAT = Placement(device="cpu", dtype="float32", read_threads=1)


def prompts(count: int, seed: int = 1) -> list[list[int]]:
    chance = random.Random(seed)
    return [[chance.randrange(3, VOCABULARY) for _ in range(chance.randint(1, 60))] for _ in range(count)]


@pytest.fixture(scope="module")
def small():
    network = load(ModelFolder.read(resolve(SmolLMSettings())), FLOAT)
    yield network
    network.close()


@pytest.mark.parametrize("name", TINY)
def test_packed_rows_say_what_plain_generate_says(name, tmp_path):
    folder = save_tiny(name, tmp_path)
    network = load(folder, FLOAT)
    assert type(network).__name__ == "PackedNetwork"
    asked = prompts(4)
    expected = greedy(tmp_path, asked, 20)
    for seed in range(2):
        assert shuffled(network, asked, 20, seed) == expected


@pytest.mark.parametrize("name", TINY_PLAIN)
def test_models_with_other_states_say_what_plain_generate_says(name, tmp_path):
    folder = save_tiny(name, tmp_path)
    network = load(folder, FLOAT)
    assert type(network).__name__ == "PlainNetwork"
    asked = prompts(3)
    assert shuffled(network, asked, 20, 1) == greedy(tmp_path, asked, 20)


@pytest.mark.slow
def test_the_small_model_says_what_plain_generate_says(small):
    from tokenizers import Tokenizer

    folder = resolve(SmolLMSettings())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    texts = (
        "The capital of France is",
        "<|im_start|>user\nWrite three sentences about the sea.<|im_end|>\n<|im_start|>assistant\n",
        "def fibonacci(n):\n    ",
        "A list of tools:\n" + '{"name": "search", "arguments": {"query": "text"}}\n' * 8 + "The third one is",
    )
    asked = [tokenizer.encode(text).ids for text in texts]
    assert shuffled(small, asked, 40, 7) == greedy(folder, asked, 40)


def test_token_bytes_are_what_a_token_takes(small):
    facts = ModelFolder.read(resolve(SmolLMSettings()))
    assert small.info.token_bytes == 2 * 4 * facts.layers * facts.key_heads * facts.head_size
    cache = small.cache()
    assert (cache.length, cache.nbytes) == (0, 0)
    small.forward([Row(cache=cache, ids=range(64), keep=0)])
    assert cache.length == 64
    assert 64 <= cache.nbytes / small.info.token_bytes <= 2 * 64
    cache.close()
    cache.close()
    assert (cache.length, cache.nbytes) == (0, 0)


def test_scores_belong_to_the_caller(small):
    cache = small.cache()
    first, second = small.forward([Row(cache=cache, ids=[5, 6]), Row(cache=small.cache(), ids=[5, 6])])
    before = second.copy()
    first[:] = 0
    assert (second == before).all()


def test_nothing_wanted_gives_nothing(small):
    (scores,) = small.forward([Row(cache=small.cache(), ids=[5, 6], keep=0)])
    assert scores.shape == (0, 49152)


def test_a_cache_cannot_be_cut_to_more_than_it_has(small):
    cache = small.cache()
    small.forward([Row(cache=cache, ids=[5, 6])])
    for wrong in (3, -1):
        with pytest.raises(ValueError, match="cannot be"):
            cache.truncate(wrong)
        with pytest.raises(ValueError, match="cannot be"):
            cache.fork(wrong)
    assert cache.length == 2


@pytest.mark.parametrize("name", ["llama", "mamba", "bloom"])
def test_without_memory_no_cache_changes(name, tmp_path):
    import torch

    calls = []

    def ask_for_too_much(_module, inputs):
        calls.append(inputs)
        if inputs[0].shape[-2] > 1 or len(calls) > 1:
            torch.empty(2**60, dtype=torch.int8)

    network = load(save_tiny(name, tmp_path), FLOAT)
    cache, other = network.cache(), network.cache()
    network.forward([Row(cache=cache, ids=[5, 6, 7])])
    (right,) = network.forward([Row(cache=cache.fork(3), ids=[8, 9], keep=1)])
    # Behind all layers, and for the plain network in the second row.
    hook = network.model.get_output_embeddings().register_forward_pre_hook(ask_for_too_much)
    with pytest.raises(OutOfMemoryError):
        network.forward([Row(cache=cache, ids=[8], keep=1), Row(cache=other, ids=[4, 5, 6], keep=3)])
    hook.remove()
    assert (cache.length, other.length) == (3, 0)
    (again,) = network.forward([Row(cache=cache, ids=[8, 9])])
    assert abs(right - again).max() < 1e-4


def test_steps_of_many_tokens_take_more_threads(tmp_path):
    import torch

    network = load(save_tiny("llama", tmp_path), Placement(device="cpu", dtype="float32", read_threads=2))
    cache = network.cache()
    network.forward([Row(cache=cache, ids=[3] * 40)])
    assert torch.get_num_threads() == 2
    network.forward([Row(cache=cache, ids=[3])])
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize(
    ("placement", "text"),
    [
        (Placement(device="nonsense"), "unknown device 'nonsense'"),
        (Placement(device="cuda:77"), "device 'cuda:77' is not on this machine"),
        (Placement(device="cpu", dtype="float16", quantization="int8"), "computes in bfloat16, not in 'float16'"),
        (Placement(device="cpu", device_map="auto", quantization="int4"), "takes no device_map"),
    ],
)
def test_what_cannot_be_is_told(placement, text, tmp_path):
    with pytest.raises(ConfigError, match=text):
        load(save_tiny("llama", tmp_path), placement)


def test_what_does_not_fit_in_memory_lies_on_disk(tmp_path):
    folder = save_tiny("llama", tmp_path / "model")
    placement = Placement(
        device="cpu", dtype="float32", memory_limit="60KB", offload_folder=tmp_path / "parts", read_threads=1
    )
    network = load(folder, placement)
    assert any(weight.is_meta for weight in network.model.parameters())
    asked = prompts(2)
    assert shuffled(network, asked, 5, 1) == greedy(folder.path, asked, 5)


def test_whole_weights_are_mapped_not_copied(small):
    place = small.model.get_input_embeddings().weight.data_ptr()
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(part, 16) for part in line.split()[0].split("-"))
        if start <= place < end:
            assert line.endswith("model.safetensors")
            return
    pytest.fail("the weights are nowhere")
