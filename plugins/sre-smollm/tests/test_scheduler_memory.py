"""When memory runs short: who waits, who gives way, and that nobody writes anything else for it."""

import pytest

from sre_core.errors import ConnectorError, UnavailableError
from sre_smollm.engine.planner import Limits
from sre_smollm.engine.scheduler import Scheduler

from .engine_work import Run, finish, writing  # noqa: TID252 -- the folder of tests is no package

PROMPTS = [[number + 3, *range(5, 85)] for number in range(4)]


def test_sequences_that_grow_beyond_the_limit_give_way_and_write_the_same(lively, alone):
    limits = Limits(cache_bytes=330 * lively.info.token_bytes)
    scheduler = Scheduler(lively, limits)
    runs = [Run(scheduler, writing(prompt[:20], 150)) for prompt in PROMPTS]
    most = 0
    while scheduler.step():
        stats = scheduler.stats()
        most = max(most, stats.live_bytes + stats.kept_bytes)
    assert [run.items for run in runs] == [alone(prompt[:20], 150) for prompt in PROMPTS]
    assert scheduler.stats().preemptions > 0
    # A step may go over it by the room that caches take ahead.
    assert most <= limits.cache_bytes * 1.3


def test_a_prompt_waits_until_there_is_room_for_it(watched, alone):
    scheduler = Scheduler(watched, Limits(cache_bytes=250 * watched.info.token_bytes))
    runs = [Run(scheduler, writing(prompt, 8)) for prompt in PROMPTS]
    finish(scheduler)
    assert [run.items for run in runs] == [alone(prompt, 8) for prompt in PROMPTS]
    assert max(len(step) for step in watched.steps) <= 2


def test_a_text_that_does_not_fit_alone_says_what_to_raise(lively, alone):
    scheduler = Scheduler(lively, Limits(cache_bytes=60 * lively.info.token_bytes))
    large, small = Run(scheduler, writing(PROMPTS[0], 4)), Run(scheduler, writing([4, 5], 4))
    growing = Run(scheduler, writing([6, 7], 90))
    finish(scheduler)
    for run in (large, growing):
        assert isinstance(run.error, ConnectorError)
        assert "cache_bytes" in run.error.hint
        assert "60 tokens" in str(run.error)
    assert small.items == alone([4, 5], 4)
    assert growing.items == alone([6, 7], 90)[: len(growing.items)]
    assert scheduler.stats().live_bytes == 0


def test_a_slow_reader_does_not_keep_the_memory_from_others(lively, alone):
    scheduler = Scheduler(lively, Limits(cache_bytes=150 * lively.info.token_bytes))
    slow = [True]
    first = Run(scheduler, writing(PROMPTS[0], 8), paused=lambda: slow[0] and len(first.items) >= 2)
    finish(scheduler)
    second = Run(scheduler, writing(PROMPTS[1], 8))
    finish(scheduler)
    assert second.items == alone(PROMPTS[1], 8)
    slow[0] = False
    finish(scheduler)
    assert first.items == alone(PROMPTS[0], 8)


@pytest.mark.parametrize("room", [95, 130, 200])
def test_out_of_memory_while_batching_shrinks_and_goes_on(watched, alone, room):
    watched.room = room
    scheduler = Scheduler(watched, Limits())
    runs = [Run(scheduler, writing(prompt, 8)) for prompt in PROMPTS]
    finish(scheduler)
    assert [run.error for run in runs] == [None] * 4
    assert [run.items for run in runs] == [alone(prompt, 8) for prompt in PROMPTS]
    assert scheduler.stats().shrinks > 0


def test_after_a_shortage_more_is_tried_again(watched, alone):
    scheduler = Scheduler(watched, Limits(batch=4))
    watched.room = 50
    runs = [Run(scheduler, writing([number], 40)) for number in range(4)]
    while not all(run.over for run in runs):
        scheduler.step()
        if scheduler.stats().shrinks:
            watched.room = None
    assert scheduler.stats().shrinks == 1
    before = len(watched.steps)
    runs += [Run(scheduler, writing([number], 120)) for number in range(10, 14)]
    finish(scheduler)
    assert max(len(step) for step in watched.steps[before:]) == 4
    assert runs[0].items == alone([0], 40)


def test_what_does_not_fit_even_alone_fails_and_the_others_go_on(watched, alone):
    watched.room = 40
    scheduler = Scheduler(watched, Limits())
    small, large = Run(scheduler, writing([4, 5], 8)), Run(scheduler, writing(PROMPTS[0], 8))
    finish(scheduler)
    assert small.items == alone([4, 5], 8)
    assert isinstance(large.error, UnavailableError)
    assert "not enough memory" in str(large.error)
    watched.room = None
    again = Run(scheduler, writing(PROMPTS[0], 8))
    finish(scheduler)
    assert again.items == alone(PROMPTS[0], 8)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_cache_that_finds_no_memory_is_tried_again_after_others_gave_way(watched, alone, times):
    scheduler = Scheduler(watched, Limits())
    runs = [Run(scheduler, writing([number], 20)) for number in range(3)]
    scheduler.step()
    scheduler.step()
    # Three are in the middle of writing when a fourth comes and there is no memory for it.
    watched.no_caches = times
    runs.append(Run(scheduler, writing([60, *range(5, 40)], 20)))
    finish(scheduler)
    assert [run.error for run in runs] == [None] * 4
    assert [run.items for run in runs] == [
        *(alone([number], 20) for number in range(3)),
        alone([60, *range(5, 40)], 20),
    ]
    assert scheduler.stats().preemptions > 0
