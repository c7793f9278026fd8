"""Picking tokens, and how likely words are: the numbers agree with their definitions."""

import numpy as np
import pytest

from sre_smollm.engine.planner import Limits
from sre_smollm.engine.scheduler import Scheduler
from sre_smollm.writing.generation import Sampler, Sampling
from sre_smollm.writing.scoring import likelihoods

from .engine_work import Run, finish  # noqa: TID252 -- the folder of tests is no package

SCORES = np.log(np.array([0.5, 0.25, 0.15, 0.06, 0.04], dtype=np.float32))


def _shares(count=4000, **sampling):
    sampler = Sampler(Sampling(seed=1, **sampling))
    picks = [sampler.pick(SCORES.copy()) for _ in range(count)]
    return np.bincount(picks, minlength=5) / count


def test_without_a_temperature_the_likeliest_token_is_picked():
    assert Sampler(Sampling()).pick(SCORES) == 0
    assert Sampler(Sampling(temperature=0.0, top_p=0.5)).pick(SCORES[::-1]) == 4


def test_tokens_come_as_often_as_they_are_likely():
    np.testing.assert_allclose(_shares(temperature=1.0), np.exp(SCORES), atol=0.03)
    colder = np.exp(SCORES / 0.5) / np.exp(SCORES / 0.5).sum()
    np.testing.assert_allclose(_shares(temperature=0.5), colder, atol=0.03)


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.0, 1), (0.3, 1), (0.5, 1), (0.6, 2), (0.8, 3), (0.92, 4), (0.97, 5), (1.0, 5)]
)
def test_top_p_keeps_the_fewest_tokens_that_reach_it(top_p, kept):
    shares = np.exp(SCORES)
    expected = np.where(np.arange(5) < kept, shares, 0)
    np.testing.assert_allclose(_shares(temperature=1.0, top_p=top_p), expected / expected.sum(), atol=0.03)


def test_a_seed_repeats_its_picks_and_no_seed_does_not():
    def picks(seed):
        sampler = Sampler(Sampling(temperature=1.0, seed=seed))
        return [sampler.pick(SCORES) for _ in range(40)]

    assert picks(3) == picks(3) != picks(4)
    assert picks(None) != picks(None)


def test_what_is_forbidden_is_never_picked():
    scores = np.where(np.arange(5) == 3, 0.0, -np.inf).astype(np.float32)
    for sampling in (Sampling(), Sampling(temperature=1.0, seed=1), Sampling(temperature=2.0, top_p=0.9, seed=1)):
        assert {Sampler(sampling).pick(scores) for _ in range(20)} == {3}


def test_a_temperature_next_to_zero_is_the_likeliest_token():
    assert {Sampler(Sampling(temperature=1e-30, seed=seed)).pick(SCORES) for seed in range(20)} == {0}


def test_likelihoods_are_those_of_the_model_and_beginnings_are_read_once(watched, lively_folder):
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(lively_folder.path), dtype=torch.float32)
    prefixes, words = [[5, 6, 7, 8], [9, 10], [5, 6, 40, 41, 42, 43]], [11, 12, 13]
    expected = []
    for prefix in prefixes:
        with torch.inference_mode():
            table = model(torch.tensor([[*prefix, *words]])).logits[0].log_softmax(-1)
        expected.append(sum(float(table[len(prefix) - 1 + place, word]) for place, word in enumerate(words)))
    scheduler = Scheduler(watched, Limits())
    spent = []
    for _ in range(2):
        before = watched.tokens
        found = []

        def work(_emit, found=found):
            found += yield from likelihoods(prefixes, words, vocabulary=watched.info.vocabulary)

        run = Run(scheduler, work)
        finish(scheduler)
        assert run.error is None
        np.testing.assert_allclose(found, expected, atol=1e-3)
        spent.append(watched.tokens - before)
    # The second time only the last token of each beginning, and all words but the last.
    assert spent == [4 + 2 + 6 + 3 * 2, 3 * (1 + 2)]
    assert scheduler.stats().live_bytes == 0
