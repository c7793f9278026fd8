"""What was read is found again by its longest common prefix, within its bytes, the oldest goes first."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_smollm.engine.planner import Limits
from sre_smollm.engine.prefix_cache import PrefixCache, common
from sre_smollm.engine.reading import TokenSequence
from sre_smollm.engine.scheduler import Scheduler
from sre_smollm.networks.base import Row

from .engine_work import Run, finish, writing  # noqa: TID252 -- the folder of tests is no package

FEW = st.lists(st.integers(0, 2), max_size=12)


def _ids(*tokens):
    return np.array(tokens, dtype=np.int32)


@pytest.fixture
def read(lively):
    """A cache that has read some tokens."""

    def read(*tokens):
        cache = lively.cache()
        lively.forward([Row(cache=cache, ids=tokens)])
        return cache

    return read


@given(FEW, FEW)
def test_the_common_prefix_is_as_long_as_the_tokens_are_the_same(first, second):
    same = [a == b for a, b in zip(first, second, strict=False)]
    assert common(_ids(*first), _ids(*second)) == (same.index(False) if False in same else len(same))


@given(st.lists(FEW.filter(bool), max_size=8), FEW.filter(bool), st.data())
def test_the_entry_that_shares_most_is_found(lively, stored, wanted, data):
    kept = PrefixCache()
    for ids in stored:
        kept.add(_ids(*ids), lively.cache())
    most = data.draw(st.integers(0, len(wanted)))
    entry, size = kept.find(_ids(*wanted), most)
    assert size == max((min(common(_ids(*ids), _ids(*wanted)), most) for ids in stored), default=0)
    assert (entry is None) == (size == 0)
    if entry is not None:
        assert list(entry.ids[:size]) == wanted[:size]


def test_a_prefix_of_a_newer_entry_is_dropped_and_one_that_is_known_is_not_kept_twice(read):
    kept = PrefixCache()
    short, long, again = read(1, 2), read(1, 2, 3), read(1, 2)
    kept.add(_ids(1, 2), short)
    kept.add(_ids(1, 2, 3), long)
    kept.add(_ids(1, 2), again)
    assert (len(kept), short.length, long.length, again.length) == (1, 0, 3, 0)
    assert kept.nbytes == long.nbytes


def test_the_least_recently_used_goes_first(read):
    kept = PrefixCache()
    for first in (1, 2, 3):
        kept.add(_ids(first, 9), read(first, 9))
    kept.find(_ids(1, 9), 2)
    size = kept.nbytes // 3
    kept.evict(2 * size)
    assert [kept.find(_ids(first, 9), 2)[1] for first in (1, 2, 3)] == [2, 0, 2]
    assert (kept.nbytes, kept.evictions) == (2 * size, 1)


def test_a_conversation_that_goes_on_reads_only_what_is_new(watched, alone):
    scheduler = Scheduler(watched, Limits())
    history = list(range(3, 60))
    for _ in range(3):
        before = watched.tokens
        run = Run(scheduler, writing(history, 6))
        finish(scheduler)
        assert run.items == alone(history, 6)
        history = [*history, *run.items, 7, 8, 9]
        spent = watched.tokens - before
    # The last token of a reply was never read, then three new ones, and five of the next reply.
    assert spent == 1 + 3 + 5
    assert len(list(range(3, 60))) + 5 + 2 * spent == watched.tokens
    stats = scheduler.stats()
    assert (stats.kept, stats.hits, stats.misses) == (1, 2, 1)


def test_only_what_is_worth_it_is_remembered(watched):
    scheduler = Scheduler(watched, Limits())
    Run(scheduler, writing([4, 5, 6, 7], 5, remember=3))
    finish(scheduler)
    before = watched.tokens
    Run(scheduler, writing([4, 5, 6, 7], 1, remember=3))
    finish(scheduler)
    assert watched.tokens - before == 1
    Run(scheduler, writing([50, 51], 5, remember=0))
    finish(scheduler)
    assert scheduler.stats().kept == 1


def test_without_bytes_nothing_is_kept_and_nothing_shared(watched, alone):
    scheduler = Scheduler(watched, Limits(cache_bytes=0))
    runs = [Run(scheduler, writing(range(3, 40), 3)) for _ in range(3)]
    finish(scheduler)
    assert [run.items for run in runs] == [alone(range(3, 40), 3)] * 3
    assert watched.tokens == 3 * (37 + 2)
    stats = scheduler.stats()
    assert (stats.kept, stats.kept_bytes, stats.cached_tokens, stats.hits) == (0, 0, 0, 0)


def test_what_is_kept_stays_within_its_bytes(lively):
    limit = 300 * lively.info.token_bytes
    scheduler = Scheduler(lively, Limits(cache_bytes=limit))
    for first in range(12):
        Run(scheduler, writing([first + 3] * 60, 2))
        finish(scheduler)
        assert 0 < scheduler.stats().kept_bytes <= limit
    assert scheduler.stats().evictions > 0


def test_what_is_wholly_known_and_wants_no_scores_is_not_read_at_all(watched):
    scheduler = Scheduler(watched, Limits())
    lengths = []

    def looking(_emit):
        sequence = TokenSequence()
        lengths.append(len((yield from sequence.read(range(3, 40), keep=0))))
        # Others may look while it is at work, and when it is over.
        yield ()
        yield ()

    for _ in range(2):
        Run(scheduler, looking)
        Run(scheduler, looking)
        finish(scheduler)
    assert lengths == [0] * 4
    assert watched.tokens == 37
