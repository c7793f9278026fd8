"""llama.cpp as a network: what it computes, and that batches, forks and cuts do not change it."""

import subprocess
import sys

import numpy as np
import pytest

from sre_smollm import SmolLMSettings
from sre_smollm.networks.base import Row
from sre_smollm.weights.sources import resolve

# llama.cpp rounds activations, in another way when many tokens are read at once. So the same text gives probabilities
# that differ a little, and never more than this divergence; another text differs more.
SAME = 0.05


def scores(network, ids, keep=1):
    cache = network.cache()
    try:
        return network.forward([Row(cache=cache, ids=ids, keep=keep)])[0]
    finally:
        cache.close()


def divergence(left, right):
    """The largest Kullback-Leibler divergence of two arrays of scores, row by row."""
    assert left.shape == right.shape
    logs = [rows - np.logaddexp.reduce(rows, axis=-1, keepdims=True) for rows in (left, right)]
    return float((np.exp(logs[0]) * (logs[0] - logs[1])).sum(axis=-1).max())


def test_says_what_it_is(network):
    info = network.info
    assert (info.name, info.device, info.weights) == ("llamacpp", "cpu", "Q4_1")
    assert (info.vocabulary, info.context_tokens, info.token_bytes) == (49152, 8192, 30 * 2 * 3 * 64 * 2)
    assert 130e6 < info.parameters < 140e6


def test_the_likeliest_tokens_make_a_sensible_answer(network, words):
    ids = words.ids("<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n")
    cache, said = network.cache(), []
    for _ in range(8):
        (found,) = network.forward([Row(cache=cache, ids=ids)])
        ids = [int(found[0].argmax())]
        said += ids
    cache.close()
    assert "Paris" in words.text(said)


def test_scores_are_those_of_transformers_in_float32(network, words, tmp_path):
    import torch
    from transformers import AutoModelForCausalLM

    ids = words.ids("The capital of France is Paris, the capital of Italy is Rome, and 2 + 2 = 4, as everybody knows.")
    theirs = AutoModelForCausalLM.from_pretrained(resolve(SmolLMSettings(cache_folder=tmp_path)), dtype=torch.float32)
    with torch.inference_mode():
        wanted = theirs(torch.tensor([ids])).logits[0].numpy()
    found = scores(network, ids, keep=len(ids))
    assert np.mean(found.argmax(axis=-1) == wanted.argmax(axis=-1)) > 0.9
    assert divergence(wanted, found) < SAME


def test_rows_of_any_length_give_what_they_give_alone(network, story):
    parts = [story[:1], story[1:40], story[40:140], story[140:143], story[143:163]]
    keeps = [1, 5, 2, 3, 0]
    caches = [network.cache() for _ in parts]
    together = network.forward(
        [Row(cache=cache, ids=ids, keep=keep) for cache, ids, keep in zip(caches, parts, keeps, strict=True)]
    )
    assert [cache.length for cache in caches] == [len(ids) for ids in parts]
    assert [found.shape for found in together] == [(keep, 49152) for keep in keeps]
    for found, ids, keep in zip(together[:4], parts, keeps, strict=False):
        assert divergence(found, scores(network, ids, keep)) < SAME
    # And then one token each, as in writing.
    nexts = network.forward([Row(cache=cache, ids=story[200:201]) for cache in caches])
    for found, ids in zip(nexts, parts, strict=True):
        assert divergence(found, scores(network, [*ids, story[200]])) < SAME
    assert divergence(nexts[0], nexts[1]) > SAME
    for cache in caches:
        cache.close()


def test_more_scores_than_one_call_can_give_are_those_of_small_steps(network, story):
    whole = scores(network, story[:300], keep=300)
    cache, steps = network.cache(), []
    for start in range(0, 300, 50):
        steps.append(network.forward([Row(cache=cache, ids=story[start : start + 50], keep=50)])[0])
    cache.close()
    assert divergence(np.concatenate(steps), whole) < SAME


def test_scores_belong_to_the_caller(network, story):
    first = scores(network, story[:5])
    kept = first.copy()
    scores(network, story[50:55])
    assert np.array_equal(first, kept)
    first[:] = 0


def test_a_fork_and_its_origin_go_separate_ways(network, story):
    origin = network.cache()
    network.forward([Row(cache=origin, ids=story[:60])])
    fork = origin.fork(40)
    assert (origin.length, fork.length, fork.nbytes) == (60, 40, 40 * 23040)
    left, right = network.forward(
        [Row(cache=origin, ids=story[200:230], keep=30), Row(cache=fork, ids=story[305:325], keep=20)]
    )
    assert divergence(left, scores(network, story[:60] + story[200:230], 30)) < SAME
    assert divergence(right, scores(network, story[:40] + story[305:325], 20)) < SAME
    assert divergence(right, scores(network, story[:60] + story[305:325], 20)) > SAME
    origin.close()
    (after,) = network.forward([Row(cache=fork, ids=story[325:330], keep=5)])
    assert divergence(after, scores(network, story[:40] + story[305:330], 5)) < SAME
    fork.close()


def test_what_is_cut_off_is_forgotten(network, story):
    cache = network.cache()
    network.forward([Row(cache=cache, ids=story[:80])])
    cache.truncate(50)
    (found,) = network.forward([Row(cache=cache, ids=story[205:215], keep=10)])
    assert divergence(found, scores(network, story[:50] + story[205:215], 10)) < SAME
    assert divergence(found, scores(network, story[:80] + story[205:215], 10)) > SAME
    cache.truncate(0)
    assert (cache.length, cache.nbytes) == (0, 0)
    (found,) = network.forward([Row(cache=cache, ids=story[100:120], keep=20)])
    assert divergence(found, scores(network, story[100:120], 20)) < SAME
    cache.close()


@pytest.mark.parametrize("length", [-1, 4])
def test_a_length_beyond_the_cache_is_refused(network, length):
    cache = network.cache()
    network.forward([Row(cache=cache, ids=[1, 2, 3])])
    with pytest.raises(ValueError, match="3 tokens"):
        cache.truncate(length)
    with pytest.raises(ValueError, match="3 tokens"):
        cache.fork(length)
    cache.close()


def test_torch_and_transformers_are_not_needed(file):
    program = f"""
import sys
from pathlib import Path
from sre_smollm.networks.base import Row
from sre_smollm.networks.llamacpp_loading import load
assert "llama_cpp" not in sys.modules and "numpy" not in sys.modules
network = load(Path({str(file)!r}), memory_bytes=10**7)
(found,) = network.forward([Row(cache=network.cache(), ids=[1, 2, 3])])
network.close()
print(found.shape, [name for name in ("torch", "transformers") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.strip(), done.stderr, done.returncode) == ("(1, 49152) []", "", 0)
