"""Many clients at once: streams, cancellation, back-pressure, loading and unloading."""

import asyncio
import random
import threading
from contextlib import aclosing

import pytest

from sre_core.errors import ConfigError, UnavailableError
from sre_smollm.engine.engine import Engine
from sre_smollm.engine.planner import Limits

from .engine_work import Watched, writing  # noqa: TID252 -- the folder of tests is no package

SYSTEM = [3 + place * 7 % 90 for place in range(40)]


@pytest.fixture
async def engine(lively):
    engine = Engine(lambda: Watched(lively), limits=Limits(results=4))
    async with asyncio.timeout(120):
        await engine.start()
        yield engine
        await engine.stop()


async def _all(engine, work, key=""):
    async with aclosing(engine.run(work, key=key)) as items:
        return [item async for item in items]


async def test_items_come_as_they_are_emitted(engine, alone):
    async with aclosing(engine.run(writing(SYSTEM, 10))) as items:
        assert await anext(items) == alone(SYSTEM, 1)[0]
        assert engine.stats().running == 1
        assert [item async for item in items] == alone(SYSTEM, 10)[1:]
    stats = engine.stats()
    assert (stats.running, stats.waiting, stats.live_bytes) == (0, 0, 0)
    assert stats.written_tokens == 10


async def test_fifty_clients_that_come_and_go_get_their_own_answers(engine, alone):
    prompts = [[*SYSTEM[: 10 * (number % 4)], number + 3, 5] for number in range(10)]
    expected = [alone(prompt, 20) for prompt in prompts]
    whole = 0

    async def client(seed: int) -> None:
        nonlocal whole
        chance = random.Random(seed)
        for _ in range(3):
            number = chance.randrange(len(prompts))
            patience = chance.choice([0, 1, 5, 20, 20, 20])
            got = []
            async with aclosing(engine.run(writing(prompts[number], 20), key=str(seed % 7))) as items:
                while len(got) < patience:
                    got.append(await anext(items))
            assert got == expected[number][:patience]
            whole += patience == 20

    async with asyncio.TaskGroup() as group:
        for seed in range(50):
            group.create_task(client(seed))
    assert whole > 30
    stats = engine.stats()
    assert (stats.running, stats.waiting, stats.live_bytes) == (0, 0, 0)
    assert stats.cached_tokens > 0


async def test_tasks_that_are_cancelled_leave_nothing_behind(engine, alone):
    started = asyncio.Event()

    async def client() -> None:
        async with aclosing(engine.run(writing(SYSTEM, 400))) as items:
            async for _ in items:
                started.set()

    tasks = [asyncio.create_task(client()) for _ in range(30)]
    await started.wait()
    for task in tasks:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    stats = engine.stats()
    assert (stats.running, stats.waiting, stats.live_bytes) == (0, 0, 0)
    assert await _all(engine, writing(SYSTEM, 5)) == alone(SYSTEM, 5)


async def test_closing_a_stream_closes_the_work_before_it_returns(engine):
    closed = threading.Event()

    def work(emit):
        try:
            yield from writing(SYSTEM, 400)(emit)
        finally:
            closed.set()

    async with aclosing(engine.run(work)) as items:
        await anext(items)
        assert not closed.is_set()
    assert closed.is_set()


async def test_a_reader_that_stops_reading_stops_its_own_work_alone(engine, alone):
    async with aclosing(engine.run(writing(SYSTEM, 100))) as slow:
        await anext(slow)
        # The others take many more steps than the slow one has room for results.
        assert await _all(engine, writing([9], 100)) == alone([9], 100)
        assert engine.stats().written_tokens < 100 + 10
        assert [item async for item in slow] == alone(SYSTEM, 100)[1:]


async def test_an_error_of_work_reaches_its_reader(engine, alone):
    def broken(emit):
        yield from writing(SYSTEM, 2)(emit)
        raise ConfigError("wrong")

    async with aclosing(engine.run(broken)) as items:
        assert [await anext(items), await anext(items)] == alone(SYSTEM, 2)
        with pytest.raises(ConfigError, match="wrong"):
            await anext(items)


async def test_stopping_ends_what_runs_and_what_waits(lively):
    engine = Engine(lambda: Watched(lively), limits=Limits(batch=1))
    await engine.start()
    streams = [engine.run(writing(SYSTEM, 400)) for _ in range(3)]
    first = asyncio.ensure_future(anext(streams[0]))
    others = [asyncio.ensure_future(anext(stream)) for stream in streams[1:]]
    await first
    await engine.stop()
    with pytest.raises(UnavailableError):
        async for _ in streams[0]:
            pass
    results = await asyncio.gather(*others, return_exceptions=True)
    assert all(isinstance(result, UnavailableError) for result in results)
    assert not engine.loaded
    with pytest.raises(UnavailableError, match="not running"):
        await _all(engine, writing(SYSTEM, 1))
    await engine.stop()


async def test_a_lazy_engine_loads_once_for_many_and_again_after_it_was_unloaded(lively, alone):
    loads = []

    def load():
        loads.append(Watched(lively))
        return loads[-1]

    engine = Engine(load)
    await engine.start(lazy=True)
    assert (loads, engine.loaded) == ([], False)
    with pytest.raises(UnavailableError):
        _ = engine.info
    found = await asyncio.gather(*(_all(engine, writing(SYSTEM, 3)) for _ in range(5)))
    assert found == [alone(SYSTEM, 3)] * 5
    assert len(loads) == 1
    await engine.unload()
    assert (loads[0].closed, engine.loaded) == (True, False)
    assert engine.info == lively.info
    await engine.warm()
    assert (len(loads), engine.loaded) == (2, True)
    await engine.stop()
    assert loads[1].closed


async def test_an_idle_engine_frees_its_network(lively, alone):
    closed = asyncio.Event()
    loop = asyncio.get_running_loop()

    class Told(Watched):
        def close(self):
            loop.call_soon_threadsafe(closed.set)

    engine = Engine(lambda: Told(lively), unload_after=0.0)
    await engine.start(lazy=True)
    async with asyncio.timeout(120):
        for _ in range(2):
            closed.clear()
            assert await _all(engine, writing(SYSTEM, 2)) == alone(SYSTEM, 2)
            await closed.wait()
            assert not engine.loaded
    await engine.stop()


async def test_what_goes_wrong_while_loading_is_told_and_tried_again(lively, alone):
    tries = []

    def load():
        tries.append(1)
        if len(tries) == 1:
            raise ConfigError("no weights")
        return Watched(lively)

    engine = Engine(load)
    with pytest.raises(ConfigError, match="no weights"):
        await engine.start()
    assert await _all(engine, writing(SYSTEM, 2)) == alone(SYSTEM, 2)
    await engine.stop()


async def test_a_client_that_leaves_while_the_network_loads_disturbs_nobody(lively, alone):
    go = threading.Event()

    def load():
        go.wait(30)
        return Watched(lively)

    engine = Engine(load)
    await engine.start(lazy=True)
    one, two = (asyncio.create_task(_all(engine, writing(SYSTEM, 2))) for _ in range(2))
    await asyncio.wait([one], timeout=0)
    one.cancel()
    await asyncio.wait([one])
    go.set()
    assert await two == alone(SYSTEM, 2)
    await engine.stop()


async def test_the_event_loop_goes_on_while_the_network_computes(lively):
    computing, go = threading.Event(), threading.Event()

    class Slow(Watched):
        def forward(self, rows):
            computing.set()
            assert go.wait(30)
            return super().forward(rows)

    engine = Engine(lambda: Slow(lively))
    await engine.start()
    task = asyncio.create_task(_all(engine, writing(SYSTEM, 2)))
    await asyncio.to_thread(computing.wait, 30)
    # Here the network is in the middle of a step, and the loop is not.
    waiting = asyncio.create_task(_all(engine, writing(SYSTEM, 1)))
    await asyncio.wait([waiting], timeout=0)
    waiting.cancel()
    await asyncio.wait([waiting], timeout=0)
    go.set()
    assert len(await task) == 2
    await engine.stop()
