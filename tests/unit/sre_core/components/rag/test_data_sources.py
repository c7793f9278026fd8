"""Data sources change as a whole: whatever happens half-way, the text of before or the new one is there."""

import itertools
import time
from contextlib import aclosing, asynccontextmanager

import anyio
import pytest

from sre_core.access.candidate import Candidate
from sre_core.components.rag.data_sources import DataSources, Piece, Source
from sre_core.components.rag.embedder import choose_embedder
from sre_core.errors import ComponentError, UnavailableError
from sre_core.testing.bench import bench
from tests.unit.sre_core.components.rag.embedders import connector, plugins_with

ID = "default::docs::x"


def source(word, count=200):
    return Source(id=ID, label="L", pieces=[Piece(text=f"{word} {n}") for n in range(count)])


@asynccontextmanager
async def place(before=None):
    """The data sources of "docs", and a way to index one; `before` hears of each batch that is embedded."""
    given = {"before": before} if before else {}
    plugins = plugins_with(connector("words", **given), connector("long", length=80), connector("other"))
    async with bench(plugins=plugins, model="words") as b:
        yield DataSources("docs", b.context), lambda name="words": choose_embedder(name, b.context), b


async def kept(b):
    vectors = b.context.vectors.of(Candidate.team("default"))
    async with aclosing(vectors.scan("data-sources/docs")) as records:
        return sorted([record.text async for record in records])


def texts(word, count=200):
    return sorted(piece.text for piece in source(word, count).pieces)


async def test_of_an_indexing_that_fails_nothing_stays():
    failing = False

    async def before(batch):
        if failing and any("new 64" in text for text in batch):
            raise UnavailableError("the model is gone")

    async with place(before) as (sources, embedder, b):
        await sources.put(source("old"), embedder())
        failing = True
        with pytest.raises(UnavailableError):
            await sources.put(source("new"), embedder())
        assert await kept(b) == texts("old")
        failing = False
        await sources.put(source("new", 70), embedder())
        assert await kept(b) == texts("new", 70)


async def test_of_an_indexing_that_is_cancelled_nothing_stays():
    reached = anyio.Event()

    async def before(batch):
        if "new 128" in batch:
            reached.set()
            await anyio.sleep_forever()

    async with place(before) as (sources, embedder, b):
        await sources.put(source("old"), embedder())
        async with anyio.create_task_group() as group:
            group.start_soon(sources.put, source("new"), embedder())
            await reached.wait()
            assert set(texts("old")) < set(await kept(b)), "the old text is there while the new one is written"
            group.cancel_scope.cancel()
        assert await kept(b) == texts("old")


async def test_what_a_killed_indexing_left_goes_with_the_next():
    async with place() as (sources, embedder, b):
        await sources.put(source("old", 70), embedder())
        vectors = b.context.vectors.of(Candidate.team("default"))
        async with aclosing(vectors.scan("data-sources/docs")) as scan:
            records = [record async for record in scan]
        await sources.put(source("half", 70), embedder())
        # A process that was killed before it removed the old text leaves both.
        await vectors.upsert("data-sources/docs", records)
        assert set(await kept(b)) == {*texts("old", 70), *texts("half", 70)}
        await sources.put(source("new", 3), embedder())
        assert await kept(b) == texts("new", 3)


async def test_an_older_indexing_that_ends_last_makes_way_for_the_younger():
    started, go_on = anyio.Event(), anyio.Event()

    async def before(batch):
        if "first 64" in batch:
            started.set()
            await go_on.wait()

    async with place(before) as (sources, embedder, b):
        async with anyio.create_task_group() as group:
            group.start_soon(sources.put, source("first"), embedder())
            await started.wait()
            await sources.put(source("second", 90), embedder())
            go_on.set()
        assert await kept(b) == texts("second", 90)


async def test_a_younger_indexing_that_ends_last_replaces_the_older():
    started, go_on = anyio.Event(), anyio.Event()

    async def before(batch):
        if "first 64" in batch:
            started.set()
            await go_on.wait()
        if "second 64" in batch:
            go_on.set()
            while not any(text.startswith("first 199") for text in await kept(box)):
                await anyio.lowlevel.checkpoint()

    async with place(before) as (sources, embedder, box):
        async with anyio.create_task_group() as group:
            group.start_soon(sources.put, source("first"), embedder())
            await started.wait()
            with anyio.fail_after(60):
                await sources.put(source("second", 90), embedder())
        assert await kept(box) == texts("second", 90)


async def test_of_indexings_that_follow_each_other_within_a_millisecond_the_last_stays(monkeypatch):
    clock = itertools.count(time.time_ns() // 1_000_000 * 1_000_000, 20_000)
    monkeypatch.setattr(time, "time_ns", lambda: next(clock))
    async with place() as (sources, embedder, b):
        for number in range(20):
            await sources.put(source(f"text {number}", 3), embedder())
            assert await kept(b) == texts(f"text {number}", 3)


async def test_a_first_indexing_at_once_by_two_makes_one_collection():
    async with place() as (sources, embedder, b):
        async with anyio.create_task_group() as group:
            for word in ("one", "two", "three"):
                group.start_soon(sources.put, source(word), embedder())
        assert await kept(b) in [texts(word) for word in ("one", "two", "three")]


async def test_batches_are_bounded():
    sizes = []

    async def before(batch):
        sizes.append(len(batch))

    async with place(before) as (sources, embedder, _):
        await sources.put(source("x", 200), embedder())
    assert sizes == [64, 64, 64, 8]


@pytest.mark.parametrize(("model", "message"), [("long", "64 numbers.*makes 80"), ("other", "vectors of 'words'")])
async def test_another_model_than_the_namespace_s_is_an_error_that_says_so(model, message):
    async with place() as (sources, embedder, b):
        await sources.put(source("old", 3), embedder())
        with pytest.raises(ComponentError, match=f"another model.*{message}") as caught:
            await sources.put(source("new", 3), embedder(model))
        assert "embeddingModel" in str(caught.value.hint)
        with pytest.raises(ComponentError, match=f"another model.*{message}"):
            await sources.find("old", embedder(model), k=1)
        assert await kept(b) == texts("old", 3)


async def test_a_namespace_that_was_emptied_takes_another_model():
    async with place() as (sources, embedder, b):
        await sources.put(source("old", 3), embedder())
        await sources.remove(ID)
        await sources.put(source("new", 3), embedder("long"))
        assert await kept(b) == texts("new", 3)
