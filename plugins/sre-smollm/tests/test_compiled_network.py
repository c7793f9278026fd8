"""The compiled network against transformers with the same weights, and against itself however its rows are cut."""

import math
import random
from pathlib import Path

import numpy as np
import pytest

from sre_core.errors import ConfigError, UnsupportedError
from sre_smollm.networks.base import OutOfMemoryError, Row
from sre_smollm.networks.compiled.network import check
from sre_smollm.networks.folder import ModelFolder
from sre_smollm.settings import SmolLMSettings
from sre_smollm.weights.sources import resolve

from .tiny_compiled import MODELS, compiled, distance, expected, reference, save  # noqa: TID252

# Root mean square error that keys and values of 16 bits make in these models, and room. Wrong positions, a forgotten
# scale or a token that is not seen make a hundred times as much.
TOLERANCE = 0.005


def ids(count: int, seed: int = 1, vocabulary: int = 99) -> list[int]:
    chance = random.Random(seed)
    return [chance.randrange(3, vocabulary) for _ in range(count)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("compiled")
    return compiled(save(folder, "smollm3"), folder / "packed")


@pytest.mark.parametrize("precision", ["int8", "int4"])
@pytest.mark.parametrize("name", MODELS)
def test_scores_are_those_of_transformers(name, precision, tmp_path):
    folder = save(tmp_path, name)
    network = compiled(folder, tmp_path / "packed", precision)
    asked = ids(150)
    (found,) = network.forward([Row(cache=network.cache(), ids=asked, keep=150)])
    assert found.shape == (150, 99)
    assert found.dtype == np.float32
    wanted = expected(reference(folder, tmp_path / "packed"), asked)
    assert distance(found, wanted) < TOLERANCE
    # Later tokens are no worse: nothing adds up.
    assert distance(found[-20:], wanted[-20:]) < TOLERANCE
    network.close()
    network.close()


@pytest.mark.parametrize("name", ["llama, scaled positions", "llama, stretched positions", "smollm3"])
def test_the_tolerance_would_show_wrong_positions(name, tmp_path):
    import torch

    folder = save(tmp_path, name)
    network = compiled(folder, tmp_path / "packed", "int8")
    asked = ids(150)
    (found,) = network.forward([Row(cache=network.cache(), ids=asked, keep=150)])
    model = reference(folder, tmp_path / "packed")
    model.model.rotary_emb.inv_freq.copy_(torch.tensor([10000.0 ** (-place / 16) for place in range(16)]))
    for layer in model.model.layers:
        layer.self_attn.use_rope = True
    assert distance(found[-20:], expected(model, asked)[-20:]) > 20 * TOLERANCE


def test_rows_are_the_same_to_the_bit_however_they_are_batched_and_cut(tiny):
    texts = [ids(count, seed) for seed, count in enumerate((1, 7, 64, 65, 130, 300, 33, 129, 12, 5))]
    alone = [tiny.forward([Row(cache=tiny.cache(), ids=text, keep=len(text))])[0] for text in texts]
    for seed in range(3):
        chance = random.Random(seed)
        caches = [tiny.cache() for _ in texts]
        left = list(range(len(texts)))
        while left:
            batch = chance.sample(left, chance.randint(1, len(left)))
            rows = []
            for place in batch:
                start = caches[place].length
                if chance.random() < 0.2:
                    start = chance.randint(0, start)
                    caches[place].truncate(start)
                elif chance.random() < 0.2:
                    start = chance.randint(0, start)
                    old, caches[place] = caches[place], caches[place].fork(start)
                    tiny.forward([Row(cache=old, ids=[5] * chance.randint(1, 70), keep=0)])
                    old.close()
                part = texts[place][start : start + chance.randint(1, 140)]
                rows.append(Row(cache=caches[place], ids=part, keep=chance.randint(0, len(part))))
            for place, row, scores in zip(batch, rows, tiny.forward(rows), strict=True):
                end = caches[place].length
                assert np.array_equal(scores, alone[place][end - row.keep : end])
            left = [place for place in left if caches[place].length < len(texts[place])]


@pytest.mark.parametrize(("threads", "decode_threads"), [(2, 1), (3, 2), (1, 3)])
def test_more_threads_give_the_same_to_the_bit(threads, decode_threads, tmp_path):
    folder = save(tmp_path, "llama, heads of 64, each its own")
    one = compiled(folder, tmp_path / "packed")
    several = compiled(folder, tmp_path / "packed", threads=threads, decode_threads=decode_threads)
    first, second = one.cache(), several.cache()
    for part in (ids(70), ids(1), ids(3)):
        (wanted,) = one.forward([Row(cache=first, ids=part, keep=len(part))])
        (found,) = several.forward([Row(cache=second, ids=part, keep=len(part))])
        assert np.array_equal(wanted, found)
    several.close()


def test_a_cache_grows_and_counts_its_bytes(tiny):
    cache = tiny.cache()
    assert (cache.length, cache.nbytes) == (0, 0)
    tiny.forward([Row(cache=cache, ids=ids(64), keep=0)])
    assert cache.nbytes == 64 * tiny.info.token_bytes
    tiny.forward([Row(cache=cache, ids=[7])])
    assert cache.length == 65
    assert 65 <= cache.nbytes / tiny.info.token_bytes <= 2 * 65
    assert tiny.cache().fork(0).nbytes == 0
    for wrong in (66, -1):
        with pytest.raises(ValueError, match="has no first"):
            cache.truncate(wrong)
        with pytest.raises(ValueError, match="has no first"):
            cache.fork(wrong)
    cache.close()
    cache.close()
    assert (cache.length, cache.nbytes) == (0, 0)


def test_scores_belong_to_the_caller(tiny):
    first, second = tiny.forward([Row(cache=tiny.cache(), ids=[5, 6]), Row(cache=tiny.cache(), ids=[5, 6])])
    before = second.copy()
    first[:] = 0
    tiny.forward([Row(cache=tiny.cache(), ids=[9])])
    assert np.array_equal(second, before)


def test_nothing_wanted_gives_nothing(tiny):
    (scores,) = tiny.forward([Row(cache=tiny.cache(), ids=[5, 6], keep=0)])
    assert scores.shape == (0, 99)


@pytest.mark.parametrize("wrong", [99, -1])
def test_a_token_that_is_not_in_the_table_is_refused(tiny, wrong):
    cache = tiny.cache()
    with pytest.raises(ValueError, match="not among the 99"):
        tiny.forward([Row(cache=cache, ids=[5, wrong])])
    assert cache.length == 0


def test_without_memory_no_cache_changes(tiny):
    import resource

    cache, other = tiny.cache(), tiny.cache()
    (before,) = tiny.forward([Row(cache=cache, ids=[5, 6, 7])])
    limits = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    many = ids(200_000)
    resource.setrlimit(resource.RLIMIT_AS, (used + 60_000_000, limits[1]))
    try:
        # The first has no room for its keys and values, the second for its scores.
        with pytest.raises(OutOfMemoryError):
            tiny.forward([Row(cache=cache, ids=[8]), Row(cache=other, ids=many)])
        with pytest.raises(OutOfMemoryError):
            tiny.forward([Row(cache=cache, ids=[8]), Row(cache=other, ids=many[:100_000], keep=100_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert (cache.length, other.length) == (3, 0)
    cache.truncate(2)
    (after,) = tiny.forward([Row(cache=cache, ids=[7])])
    assert np.array_equal(before, after)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model_type": "gpt2"}, "its kind is 'gpt2'"),
        ({"attention_bias": True}, "its layers have biases"),
        ({"hidden_act": "gelu"}, "its activation is 'gelu'"),
        ({"model_type": "mistral", "sliding_window": 11}, "its attention has a window"),
        ({"head_dim": 24}, "its sizes are no multiples of 32"),
        ({"intermediate_size": 100}, "its sizes are no multiples of 32"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "rotary positions of the kind 'yarn'"),
    ],
)
def test_what_it_cannot_run_is_told(changes, reason, tmp_path):
    import json

    folder = save(tmp_path, "llama, heads of 16")
    check(folder)
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    with pytest.raises(UnsupportedError, match=reason) as caught:
        check(ModelFolder.read(tmp_path))
    assert caught.value.hint == "set engine = 'transformers'"


def test_a_damaged_file_is_told(tmp_path):
    folder = save(tmp_path, "smollm3")
    packed = tmp_path / "packed"
    compiled(folder, packed).close()
    whole = packed.read_bytes()
    for size in (len(whole) - 1, 100, 5, 0):
        packed.write_bytes(whole[:size])
        with pytest.raises(ConfigError, match="packed' cannot be read"):
            compiled(folder, packed)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory):
    folder = ModelFolder.read(resolve(SmolLMSettings(model="smollm2-135m")))
    file = tmp_path_factory.mktemp("small") / "packed"
    return compiled(folder, file), reference(folder, file), folder


def test_the_small_model_reads_as_well_as_in_float32(small):
    from tokenizers import Tokenizer

    network, _, folder = small
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(folder.path))
    root = Path(__file__).parents[3]
    text = (root / "README.md").read_text() + (root / "docs" / "plugins" / "smollm.md").read_text()
    read = Tokenizer.from_file(str(folder.path / "tokenizer.json")).encode(text).ids
    windows = [read[start : start + 256] for start in range(0, 8 * 256, 256)]
    assert all(len(window) == 256 for window in windows)

    def perplexity(scores_of) -> float:
        losses = []
        for window in windows:
            scores = scores_of(window).astype(np.float64)[:-1]
            top = scores.max(-1, keepdims=True)
            sums = np.log(np.exp(scores - top).sum(-1)) + top[:, 0]
            losses.append(sums - scores[np.arange(255), window[1:]])
        return math.exp(np.concatenate(losses).mean())

    ours = perplexity(lambda window: network.forward([Row(cache=network.cache(), ids=window, keep=256)])[0])
    theirs = perplexity(lambda window: expected(model, window))
    assert ours / theirs == pytest.approx(1, abs=0.02), (ours, theirs)


def test_the_small_model_writes_as_transformers_with_its_weights(small):
    from tokenizers import Tokenizer

    network, model, folder = small
    tokenizer = Tokenizer.from_file(str(folder.path / "tokenizer.json"))
    texts = (
        "The capital of France is",
        "<|im_start|>user\nWrite three sentences about the sea.<|im_end|>\n<|im_start|>assistant\n",
        "def fibonacci(n):\n    ",
        "A list of tools:\n" + '{"name": "search", "arguments": {"query": "text"}}\n' * 8 + "The third one is",
    )
    for text in texts:
        asked = tokenizer.encode(text).ids
        cache, written = network.cache(), list(asked)
        for _ in range(24):
            (scores,) = network.forward([Row(cache=cache, ids=written[cache.length :])])
            written.append(int(scores[-1].argmax()))
        wanted = expected(model, written)[len(asked) - 1 : -1]
        chosen = wanted[np.arange(24), written[len(asked) :]]
        # Each token is the best one, or as good as that.
        assert (wanted.max(-1) - chosen).max() < 0.05
        assert (wanted.argmax(-1) == written[len(asked) :]).mean() > 0.95
