"""Everything at once, at random: shortage, faults, slow readers, cancellations, many reads in one step of work."""

import random

import pytest

from sre_core.errors import ConnectorError
from sre_smollm.engine.planner import Limits
from sre_smollm.engine.reading import Read, TokenSequence
from sre_smollm.engine.scheduler import Scheduler

from .engine_work import Run, writing  # noqa: TID252 -- the folder of tests is no package

SYSTEM = [3 + place * 7 % 90 for place in range(50)]
PROMPTS = [[*SYSTEM[: 10 * number], number + 4, 6, 7] for number in range(6)]
COUNT = 15


def _scoring_then_writing(prompt):
    """Work that reads several sequences at once, some of them for the last time, and writes after that."""

    def work(emit):
        kept = TokenSequence()
        final = tuple(Read(sequence=TokenSequence(remember=8), ids=PROMPTS[n], keep=2, final=True) for n in range(4))
        scores = yield (*final, Read(sequence=kept, ids=PROMPTS[5], keep=0))
        assert [len(one) for one in scores] == [2, 2, 2, 2, 0]
        yield ()
        yield from kept.read([5])
        yield from writing(prompt, COUNT)(emit)

    return work


def _limits(chance, network):
    return Limits(
        batch=chance.randint(1, 6),
        chunk=chance.choice([17, 40, 512]),
        busy_chunk=chance.choice([17, 64]),
        cache_bytes=chance.choice([0, 110, 250, 2000]) * network.info.token_bytes,
        score_bytes=chance.choice([1, 20]) * 4 * network.info.vocabulary,
    )


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_jobs_end_right_or_with_an_error_and_nothing_is_left(watched, alone, seed):
    expected = [alone(prompt, COUNT) for prompt in PROMPTS]
    chance = random.Random(seed)
    limits = _limits(chance, watched)
    scheduler = Scheduler(watched, limits)
    broken = False

    def fault(_rows):
        nonlocal broken
        broken = chance.random() < 0.01
        return ValueError("by chance") if broken else None

    watched.fault = fault
    asleep: set[int] = set()
    runs: list[tuple[int, Run]] = []
    waiting = 24
    for _ in range(20_000):
        if waiting and chance.random() < 0.2:
            waiting -= 1
            number = chance.randrange(len(PROMPTS))
            work = (writing(PROMPTS[number], COUNT), _scoring_then_writing(PROMPTS[number]))[chance.random() < 0.3]
            place = len(runs)
            runs.append((number, Run(scheduler, work, key=str(number), paused=lambda place=place: place in asleep)))
        if runs and chance.random() < 0.1:
            asleep.symmetric_difference_update({chance.randrange(len(runs))})
        if runs and chance.random() < 0.01:
            _, gone = chance.choice(runs)
            if not gone.over and scheduler.withdraw(gone.job):
                gone.ends.append(None)
            gone.job.cancelled = True
        watched.room = chance.choice([None, None, 150, 90]) if chance.random() < 0.1 else watched.room
        watched.no_caches = 1 if chance.random() < 0.01 else 0
        scheduler.step()
        if not waiting:
            asleep.discard(chance.randrange(len(runs)))
            if all(run.over for _, run in runs):
                break
    whole = 0
    for number, run in runs:
        assert run.items == expected[number][: len(run.items)]
        assert run.error is None or isinstance(run.error, ConnectorError)
        if run.error is None and not run.job.cancelled:
            assert run.items == expected[number]
            whole += 1
    assert whole >= 8
    stats = scheduler.stats()
    assert (stats.running, stats.waiting, stats.live_bytes) == (0, 0, 0)
    assert stats.kept_bytes <= limits.cache_bytes
