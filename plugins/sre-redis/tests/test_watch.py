"""One timer for the deadlines of many calls."""

import asyncio

import pytest

from sre_redis.watch import Watch

pytestmark = pytest.mark.anyio


async def waits(watch, event):
    with watch.call():
        await event.wait()
        return "done"


async def test_a_call_that_takes_too_long_times_out_and_leaves_its_task_alone():
    watch, never = Watch(0.01), asyncio.Event()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            await waits(watch, never)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    watch.close()


async def test_many_calls_have_one_timer_and_each_its_own_end():
    watch, never, soon = Watch(0.05), asyncio.Event(), asyncio.Event()
    late = [asyncio.ensure_future(waits(watch, never)) for _ in range(5)]
    early = [asyncio.ensure_future(waits(watch, soon)) for _ in range(5)]
    await asyncio.sleep(0)
    soon.set()
    assert await asyncio.gather(*early) == ["done"] * 5
    assert [type(error) for error in await asyncio.gather(*late, return_exceptions=True)] == [TimeoutError] * 5
    # A call that begins when the timer has rung gets another one.
    with pytest.raises(TimeoutError):
        await waits(watch, never)
    watch.close()


async def test_a_cancellation_from_elsewhere_stays_one():
    watch, never = Watch(0.01), asyncio.Event()
    call = asyncio.ensure_future(waits(watch, never))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.wait({call})
    assert call.cancelled()
    watch.close()


async def test_an_outer_deadline_that_ends_first_is_told_from_ours():
    watch, never = Watch(60), asyncio.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await waits(watch, never)
    with pytest.raises(RuntimeError, match="broken"), watch.call():
        raise RuntimeError("broken")
    watch.close()
