"""A deadline ends what waits too long, and takes no cancellation for its own that is not."""

import asyncio
import time
from collections.abc import Callable

import pytest
from anyio import fail_after

from sre_core.connectors.deadline import Alarm, Deadline


async def waits(deadline: Deadline, future: "asyncio.Future[None]") -> str:
    deadline.start()
    try:
        await future
    except asyncio.CancelledError as error:
        return "late" if deadline.stop(error) else "cancelled"
    return "late" if deadline.stop(None) else "done"


def never() -> "asyncio.Future[None]":
    return asyncio.get_running_loop().create_future()


async def test_a_wait_that_is_too_long_is_cancelled_and_the_task_goes_on() -> None:
    deadline = Deadline(Alarm(0.001))
    with fail_after(60):
        assert await waits(deadline, never()) == "late"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_wait_that_ends_in_time_is_left_alone() -> None:
    deadline = Deadline(Alarm(5))
    future = never()
    future.set_result(None)
    assert await waits(deadline, future) == "done"
    deadline.close()


async def test_each_wait_has_the_whole_time(skip: Callable[[float], None]) -> None:
    deadline = Deadline(Alarm(600))
    for _ in range(4):
        future = never()
        waiting = asyncio.create_task(waits(deadline, future))
        await asyncio.sleep(0)
        skip(400)
        await asyncio.sleep(0)
        future.set_result(None)
        assert await waiting == "done"
    waiting = asyncio.create_task(waits(deadline, never()))
    await asyncio.sleep(0)
    skip(601)
    assert await waiting == "late"


async def test_time_between_two_waits_does_not_count() -> None:
    deadline = Deadline(Alarm(0.001))
    future = never()
    future.set_result(None)
    assert await waits(deadline, future) == "done"
    pause = never()
    asyncio.get_running_loop().call_later(0.02, pause.set_result, None)
    await pause
    deadline.close()


async def test_a_cancellation_from_elsewhere_is_not_taken_for_its_own() -> None:
    deadline = Deadline(Alarm(5))
    task = asyncio.create_task(waits(deadline, never()))
    await asyncio.sleep(0)
    task.cancel()
    with fail_after(60):
        assert await task == "cancelled"
    deadline.close()


async def test_a_cancellation_that_comes_with_the_deadline_wins() -> None:
    deadline = Deadline(Alarm(0.001))
    task = asyncio.create_task(waits(deadline, never()))
    await asyncio.sleep(0)
    # Both are due by then, and come before the task runs again.
    asyncio.get_running_loop().call_later(0.002, task.cancel)
    time.sleep(0.02)  # noqa: ASYNC251 -- so that the loop sees both at once
    with fail_after(60):
        assert await task == "cancelled"
    deadline.close()


async def test_the_waits_may_be_those_of_different_tasks() -> None:
    deadline = Deadline(Alarm(0.02))
    future = never()
    future.set_result(None)
    with fail_after(60):
        assert await asyncio.create_task(waits(deadline, future)) == "done"
        assert await asyncio.create_task(waits(deadline, never())) == "late"


async def test_nothing_rings_after_closing() -> None:
    deadline = Deadline(Alarm(0.001))
    task = asyncio.create_task(waits(deadline, never()))
    await asyncio.sleep(0)
    deadline.close()
    done, _ = await asyncio.wait([task], timeout=0.02)
    assert not done
    task.cancel()
    assert await task == "cancelled"


async def test_deadlines_of_one_alarm_ring_each_at_its_own_time(skip: Callable[[float], None]) -> None:
    alarm = Alarm(600)
    tasks = []
    for _ in range(2):
        tasks.append(asyncio.create_task(waits(Deadline(alarm), never())))
        await asyncio.sleep(0)
        skip(400)
        await asyncio.sleep(0)
    early, late = tasks
    assert await early == "late"
    assert not late.done()
    skip(400)
    assert await late == "late"


async def test_an_alarm_rings_not_for_who_waits_no_more(skip: Callable[[float], None]) -> None:
    alarm, first = Alarm(600), never()
    early = asyncio.create_task(waits(Deadline(alarm), first))
    await asyncio.sleep(0)
    skip(400)
    late = asyncio.create_task(waits(Deadline(alarm), never()))
    await asyncio.sleep(0)
    first.set_result(None)
    assert await early == "done"
    # It rings for the first, who is gone.
    skip(201)
    await asyncio.sleep(0)
    assert not late.done()
    skip(400)
    assert await late == "late"


async def test_a_wait_may_be_given_another_length() -> None:
    short, long = Alarm(0.001), Alarm(60)
    deadline, future = Deadline(short), never()
    task = asyncio.create_task(waits(deadline, future))
    await asyncio.sleep(0)
    deadline.change(long)
    await asyncio.sleep(0.02)
    assert not task.done()
    deadline.change(short)
    with fail_after(60):
        assert await task == "late"
        deadline.change(short)
        assert await waits(deadline, never()) == "late"


async def test_an_alarm_that_nobody_waits_for_leaves_no_timer() -> None:
    alarm = Alarm(60)
    future = never()
    future.set_result(None)
    assert await waits(Deadline(alarm), future) == "done"
    alarm.rest()
    assert alarm._timer is None
    task = asyncio.create_task(waits(Deadline(alarm), never()))
    await asyncio.sleep(0)
    alarm.rest()
    assert alarm._timer is not None
    task.cancel()
    assert await task == "cancelled"


def test_a_deadline_needs_a_task() -> None:
    async def outside() -> Deadline:
        return Deadline(Alarm(1))

    deadline = asyncio.run(outside())
    with pytest.raises(RuntimeError):
        deadline.start()
