"""Many callers of one embedder: shared rounds, turns, cancellation, and what the cache spares."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.lowlevel
import numpy as np
import pytest

from sre_core.errors import UnavailableError
from sre_smollm.embeddings.cache import VectorCache
from sre_smollm.embeddings.embedder import Embedder
from sre_smollm.embeddings.options import EmbeddingOptions

from .tiny_sentences import save_sentences  # noqa: TID252 -- the folder of tests is no package

WORDS = ("the", "sea", "is", "deep", "night", "falls", "and", "a", "b", "c")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_sentences(tmp_path_factory.mktemp("sentences") / "tiny")


@pytest.fixture
async def embedder(folder):
    made = Embedder(EmbeddingOptions(model=str(folder), batch_tokens=16))
    yield made
    await made.stop()


def texts(count: int, *, first: int = 0) -> list[str]:
    """Different texts of four digits, each of which is a word."""
    return [" ".join(WORDS[int(digit)] for digit in f"{number:04}") for number in range(first, first + count)]


async def until(condition) -> None:
    """Let the loop go on until something has happened."""
    with anyio.fail_after(60):
        while not condition():
            await anyio.lowlevel.checkpoint()


class Gate:
    """Holds the network of an embedder at its next round until it is opened."""

    def __init__(self, embedder: Embedder) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.rounds: list[int] = []
        encoder = embedder._encoder
        run = encoder.vectors

        def held(rows):
            self.rounds.append(len(rows))
            self.reached.set()
            assert self.opened.wait(20)
            return run(rows)

        encoder.vectors = held


async def test_a_text_that_was_asked_before_does_not_run_through_the_network(embedder):
    first = await embedder.embed(texts(20))
    assert (embedder.stats.hits, embedder.stats.misses) == (0, 20)
    rounds = embedder.stats.rounds
    assert await embedder.embed(texts(20)) == first
    assert np.array_equal(await asyncio.to_thread(embedder.encode, texts(20)), np.array(first, dtype=np.float32))
    assert (embedder.stats.hits, embedder.stats.misses, embedder.stats.rounds) == (40, 20, rounds)
    assert embedder.stats.entries == 20
    assert embedder.stats.bytes >= 20 * 16 * 4


async def test_a_text_that_stands_twice_in_a_call_runs_once(embedder):
    one, two, again = await embedder.embed(["the sea", "night", "the sea"])
    assert one == again != two
    assert (embedder.stats.hits, embedder.stats.misses) == (1, 2)


async def test_calls_at_once_share_rounds_and_get_their_own_vectors(embedder):
    await embedder.start()
    plain = {text: vector for text in texts(50) for vector in await embedder.embed([text])}
    other = Embedder(EmbeddingOptions(model=str(embedder._options.model), batch_tokens=16))
    await other.start()
    gate = Gate(other)
    calls = [asyncio.create_task(other.embed([text, "the sea"])) for text in texts(50)]
    await until(lambda: other.stats.waiting == 50)
    gate.opened.set()
    found = await asyncio.gather(*calls)
    for text, (vector, sea) in zip(texts(50), found, strict=True):
        assert vector == pytest.approx(plain[text], abs=1e-5)
        assert sea == found[0][1]
    assert other.stats.misses == 51
    assert other.stats.rounds < 10
    assert other.stats.waiting == 0
    await other.stop()


async def test_a_short_call_does_not_wait_for_a_long_one(embedder):
    await embedder.start()
    gate = Gate(embedder)
    long = asyncio.create_task(embedder.embed(texts(2000)))
    await until(gate.reached.is_set)
    short = asyncio.create_task(embedder.embed(texts(3, first=9000)))
    await until(lambda: embedder.stats.waiting == 2)
    gate.opened.set()
    assert len(await short) == 3
    assert not long.done()
    assert embedder.stats.misses < 200
    assert len(await long) == 2000


async def test_a_cancelled_call_takes_nothing_more_and_the_next_one_works(embedder):
    await embedder.start()
    gate = Gate(embedder)
    task = asyncio.create_task(embedder.embed(texts(2000)))
    await until(gate.reached.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert embedder.stats.waiting == 0
    gate.opened.set()
    assert len(await embedder.embed(texts(2, first=9000))) == 2
    # The round that ran when the call went away, and the one of the new call.
    assert len(gate.rounds) == 2
    assert embedder.stats.misses == sum(gate.rounds) < 100


async def test_texts_that_shared_a_round_with_a_failing_call_are_not_lost(embedder):
    await embedder.start()
    encoder = embedder._encoder
    run = encoder.tokens

    def tokens(text):
        if text == "bad":
            raise MemoryError
        return run(text)

    encoder.tokens = tokens
    gate = Gate(embedder)
    first = asyncio.create_task(embedder.embed(texts(2)))
    await until(gate.reached.is_set)
    bad = asyncio.create_task(embedder.embed(["bad"]))
    await until(lambda: embedder.stats.waiting == 2)
    good = asyncio.create_task(embedder.embed(texts(40, first=50)))
    await until(lambda: embedder.stats.waiting == 3)
    gate.opened.set()
    with pytest.raises(MemoryError):
        await bad
    assert len(await first) == 2
    assert len(await good) == 40


async def test_the_loop_goes_on_while_the_network_runs(embedder):
    await embedder.start()
    gate = Gate(embedder)
    task = asyncio.create_task(embedder.embed(["the sea"]))
    await until(gate.reached.is_set)
    assert not task.done()
    gate.opened.set()
    await task


async def test_a_stop_fails_the_calls_in_line_and_a_later_call_loads_anew(embedder):
    await embedder.start()
    gate = Gate(embedder)
    task = asyncio.create_task(embedder.embed(texts(2000)))
    await until(gate.reached.is_set)
    stop = asyncio.create_task(embedder.stop())
    await until(lambda: embedder.stats.waiting == 0)
    gate.opened.set()
    await stop
    with pytest.raises(UnavailableError, match="was stopped"):
        await task
    await embedder.stop()
    assert not embedder.started
    assert embedder.stats.entries == 0
    assert len(await embedder.embed(["the sea"])) == 1


def test_threads_may_ask_at_once(folder):
    embedder = Embedder(EmbeddingOptions(model=str(folder), batch_tokens=16))
    whole = embedder.encode(texts(200))
    fresh = Embedder(EmbeddingOptions(model=str(folder), batch_tokens=16, cache_bytes=0))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(fresh.encode, [texts(25, first=start) for start in range(0, 200, 25)]))
    assert np.abs(np.concatenate(found) - whole).max() < 1e-5
    assert fresh.stats.entries == 0


def test_the_least_recently_used_vector_goes_first_and_the_limit_holds():
    one = np.zeros(100, dtype=np.float32)
    cache = VectorCache(3 * 800)
    keys = [VectorCache.key("model", text) for text in "abcd"]
    for key in keys[:3]:
        cache.put(key, one)
    assert cache.get(keys[0]) is one
    cache.put(keys[3], one)
    assert [cache.get(key) is not None for key in keys] == [True, False, True, True]
    assert cache.nbytes <= 3 * 800
    before = cache.nbytes
    cache.put(keys[3], one)
    assert cache.nbytes == before
    cache.put(keys[1], np.zeros(10_000, dtype=np.float32))
    assert cache.get(keys[1]) is None
    cache.clear()
    assert (len(cache), cache.nbytes) == (0, 0)


def test_keys_tell_models_and_texts_apart():
    pairs = [("m", "text"), ("mt", "ext"), ("m", "text "), ("n", "text"), ("m", "\ud800"), ("m", "?")]
    assert len({VectorCache.key(model, text) for model, text in pairs}) == len(pairs)
