"""Jobs on one network: together they write what each writes alone, in fair turns, and a fault stays where it is."""

import random

import pytest

from sre_core.errors import ConnectorError, RateLimitedError, UnavailableError
from sre_smollm.engine.planner import Limits
from sre_smollm.engine.reading import Read, TokenSequence
from sre_smollm.engine.scheduler import Scheduler

from .engine_work import Run, finish, stopped, writing  # noqa: TID252 -- the folder of tests is no package

SYSTEM = [3 + place * 7 % 90 for place in range(60)]
PROMPTS = [
    [*SYSTEM, 5, 9, 11],
    [*SYSTEM, 5, 9, 40, 41, 42],
    [*SYSTEM[:30], 77],
    [8, 6, 4],
    [*SYSTEM, *range(10, 80)],
    [*range(90, 20, -1), 3],
]
COUNT = 12


@pytest.fixture(scope="module")
def expected(alone):
    return [alone(prompt, COUNT) for prompt in PROMPTS]


def test_jobs_together_write_what_each_writes_alone(lively, expected):
    scheduler = Scheduler(lively, Limits())
    runs = [Run(scheduler, writing(prompt, COUNT)) for prompt in PROMPTS]
    finish(scheduler)
    assert [run.items for run in runs] == expected
    assert [run.error for run in runs] == [None] * len(runs)


@pytest.mark.parametrize("seed", range(12))
def test_joins_and_cancellations_in_any_order_change_nothing(lively, expected, seed):
    chance = random.Random(seed)
    limits = Limits(
        batch=chance.randint(1, 4),
        chunk=chance.choice([17, 32, 64]),
        busy_chunk=chance.choice([17, 24]),
        cache_bytes=chance.choice([0, 200 * lively.info.token_bytes, 400 * lively.info.token_bytes, 1 << 30]),
    )
    scheduler = Scheduler(lively, limits)
    waiting = [chance.randrange(len(PROMPTS)) for _ in range(20)]
    runs: list[tuple[int, Run]] = []
    moved = True
    while waiting or moved:
        while waiting and chance.random() < 0.3:
            number = waiting.pop()
            runs.append((number, Run(scheduler, writing(PROMPTS[number], COUNT), key=str(number % 2))))
        if runs and chance.random() < 0.05:
            _, gone = chance.choice(runs)
            if not gone.over and not scheduler.withdraw(gone.job):
                gone.job.cancelled = True
        moved = scheduler.step()
    whole = 0
    for number, run in runs:
        if run.job.cancelled or not run.over:
            assert run.items == expected[number][: len(run.items)]
        else:
            assert run.error is None
            assert run.items == expected[number]
            whole += 1
    assert whole > 5
    stats = scheduler.stats()
    assert (stats.running, stats.waiting, stats.live_bytes) == (0, 0, 0)
    assert stats.kept_bytes <= limits.cache_bytes


def test_one_token_of_each_and_one_piece_of_a_prompt_make_a_step(watched):
    scheduler = Scheduler(watched, Limits(chunk=32, busy_chunk=20))
    first = Run(scheduler, writing(PROMPTS[3], COUNT))
    scheduler.step()
    second = Run(scheduler, writing(PROMPTS[4], COUNT))
    scheduler.step()
    assert watched.steps == [[3], [1, 20]]
    finish(scheduler)
    assert first.over
    assert second.over
    assert [1, 1] in watched.steps


def test_without_others_a_prompt_is_read_in_large_pieces(watched):
    scheduler = Scheduler(watched, Limits(chunk=100, busy_chunk=20))
    Run(scheduler, writing(PROMPTS[4], 1))
    finish(scheduler)
    assert watched.steps == [[100], [30]]


def test_jobs_that_come_together_read_their_common_prompt_once(watched, alone):
    scheduler = Scheduler(watched, Limits(chunk=50, busy_chunk=50))
    prompts = [[*SYSTEM, number, 5] for number in range(8)]
    runs = [Run(scheduler, writing(prompt, 4, remember=0)) for prompt in prompts]
    finish(scheduler)
    assert [run.items for run in runs] == [alone(prompt, 4) for prompt in prompts]
    assert watched.tokens == len(SYSTEM) + 8 * (2 + 3)
    stats = scheduler.stats()
    assert (stats.hits, stats.misses, stats.cached_tokens) == (7, 1, 7 * len(SYSTEM))
    assert stats.prompt_tokens == 8 * (len(SYSTEM) + 2)
    assert stats.written_tokens == 8 * 4


def test_keys_take_turns_and_within_a_key_the_first_comes_first(lively):
    scheduler = Scheduler(lively, Limits(batch=1))
    order: list[str] = []

    def noting(name):
        def work(emit):
            order.append(name)
            yield from writing([4, 5], 2)(emit)

        return work

    for name in ("a1", "a2", "a3", "a4"):
        Run(scheduler, noting(name), key="a")
    for name in ("b1", "b2"):
        Run(scheduler, noting(name), key="b")
    Run(scheduler, noting("c1"), key="c")
    finish(scheduler)
    assert order == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]


def test_a_key_with_fewer_running_jobs_goes_first(lively):
    scheduler = Scheduler(lively, Limits(batch=3))
    for count in (5, 30, 30):
        Run(scheduler, writing([4, 5], count), key="many")
    scheduler.step()
    late = [Run(scheduler, writing([4, 5], 20), key="many") for _ in range(5)]
    one = Run(scheduler, writing([4, 5], 2), key="few")
    while not one.over:
        assert scheduler.step()
    assert not any(run.items for run in late)
    finish(scheduler)
    assert all(run.over for run in late)


def test_a_full_queue_refuses_and_says_what_to_do(lively):
    scheduler = Scheduler(lively, Limits(queue=2))
    Run(scheduler, writing([4], 1))
    Run(scheduler, writing([4], 1))
    with pytest.raises(RateLimitedError, match="2 requests wait") as caught:
        Run(scheduler, writing([4], 1))
    assert "queue" in caught.value.hint
    finish(scheduler)
    Run(scheduler, writing([4], 1))
    finish(scheduler)


def test_a_job_whose_reader_is_slow_waits_alone(lively, expected):
    scheduler = Scheduler(lively, Limits(batch=1))
    slow: list[bool] = [True]
    first = Run(scheduler, writing(PROMPTS[0], COUNT), paused=lambda: slow[0] and len(first.items) >= 3)
    second = Run(scheduler, writing(PROMPTS[1], COUNT))
    finish(scheduler)
    assert len(first.items) == 3
    assert not first.over
    assert second.items == expected[1]
    slow[0] = False
    finish(scheduler)
    assert first.items == expected[0]


def test_an_error_of_a_job_is_its_own(lively, expected):
    scheduler = Scheduler(lively, Limits())

    def broken(emit):
        yield from writing(PROMPTS[0], 3)(emit)
        raise LookupError("mine")

    def refused(_emit):
        raise UnavailableError("before its first step")
        yield

    runs = [Run(scheduler, work) for work in (broken, writing(PROMPTS[1], COUNT), refused)]
    finish(scheduler)
    assert isinstance(runs[0].error, LookupError)
    assert isinstance(runs[2].error, UnavailableError)
    assert (runs[1].error, runs[1].items) == (None, expected[1])


def test_a_fault_of_the_network_ends_the_jobs_of_its_step_alone(watched, expected):
    scheduler = Scheduler(watched, Limits())
    first = Run(scheduler, writing(PROMPTS[0], COUNT))
    scheduler.step()
    watched.fault = lambda rows: ValueError("a driver broke")
    scheduler.step()
    watched.fault = lambda rows: None
    assert isinstance(first.error, ConnectorError)
    assert "a driver broke" in str(first.error)
    second = Run(scheduler, writing(PROMPTS[0], COUNT))
    finish(scheduler)
    assert second.items == expected[0]
    # What was read in a step that broke is not to be trusted.
    assert scheduler.stats().hits == 0


def test_a_text_beyond_the_context_is_refused_before_it_is_read(watched):
    scheduler = Scheduler(watched, Limits())
    run = Run(scheduler, writing([4] * 513, 1))
    finish(scheduler)
    assert isinstance(run.error, ConnectorError)
    assert "513" in str(run.error)
    assert watched.steps == []


def test_reads_of_one_step_of_work_are_split_where_their_scores_take_too_much(watched):
    rows = 8
    limits = Limits(score_bytes=4 * watched.info.vocabulary * 25)
    scheduler = Scheduler(watched, limits)
    found = []

    def scoring(_emit):
        reads = tuple(
            Read(sequence=TokenSequence(remember=0), ids=[*SYSTEM[:20], number, *range(20)], keep=10, final=True)
            for number in range(rows)
        )
        found.extend((yield reads))

    Run(scheduler, scoring)
    finish(scheduler)
    assert [scores.shape for scores in found] == [(10, watched.info.vocabulary)] * rows
    assert len(watched.steps) >= rows * 10 // 25
    assert scheduler.stats().live_bytes == 0


def test_a_long_read_gives_all_the_scores_that_were_wanted_in_pieces(watched):
    import numpy as np

    whole, pieces = [], []

    def scoring(found):
        def work(_emit):
            found.append((yield from TokenSequence(remember=0).read(PROMPTS[4], keep=90)))

        return work

    for found, chunk in ((whole, 512), (pieces, 17)):
        scheduler = Scheduler(watched, Limits(chunk=chunk))
        Run(scheduler, scoring(found))
        finish(scheduler)
    assert whole[0].shape == (90, watched.info.vocabulary)
    np.testing.assert_allclose(pieces[0], whole[0], atol=1e-4)


def test_closing_ends_every_job_once_and_frees_everything(lively):
    scheduler = Scheduler(lively, Limits(batch=2))
    closed: list[str] = []

    def patient(emit):
        try:
            yield from writing(PROMPTS[0], 100)(emit)
        finally:
            closed.append("yes")

    runs = [Run(scheduler, patient) for _ in range(4)]
    scheduler.step()
    scheduler.close()
    assert all(stopped(run.error) for run in runs)
    assert closed == ["yes", "yes"]
    stats = scheduler.stats()
    assert (stats.live_bytes, stats.kept_bytes, stats.running, stats.waiting) == (0, 0, 0, 0)
    with pytest.raises(UnavailableError):
        Run(scheduler, patient)
