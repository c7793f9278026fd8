"""Several things at once: how many, in which order, and what is left when one fails."""

import asyncio
from typing import Any

import pytest
from anyio import fail_after

from sre_core.workflows.together import cancel, for_each, gather


async def test_nothing_to_do_is_done_at_once() -> None:
    async def never(_: Any) -> None:
        raise AssertionError

    with fail_after(60):
        await gather([])
        await for_each([], never, parallel=3)


async def test_items_are_taken_in_order_and_no_more_at_once_than_there_are_places() -> None:
    taken: list[int] = []
    now, most = 0, 0

    async def work(item: int) -> None:
        nonlocal now, most
        taken.append(item)
        now += 1
        most = max(most, now)
        for _ in range(item % 3):
            await asyncio.sleep(0)
        now -= 1

    await for_each(range(50), work, parallel=4)

    assert taken == list(range(50))
    assert (now, most) == (0, 4)


async def test_a_failure_comes_out_as_it_is_and_ends_the_others() -> None:
    ended: list[str] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("hang")

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("broken")

    before = asyncio.all_tasks()
    with fail_after(60), pytest.raises(ValueError, match="broken"):
        await gather([hang(), fail(), hang()])

    assert ended == ["hang", "hang"]
    assert asyncio.all_tasks() == before


async def test_after_a_failure_no_further_item_is_taken() -> None:
    taken: list[int] = []

    async def work(item: int) -> None:
        taken.append(item)
        await asyncio.sleep(0)
        if item == 2:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await for_each(range(100), work, parallel=2)

    assert len(taken) < 8


async def test_of_several_failures_the_first_in_order_comes_out() -> None:
    async def fail(name: str) -> None:
        raise ValueError(name)

    for _ in range(5):
        with pytest.raises(ValueError, match="first"):
            await gather([fail("first"), fail("second")])


async def test_whoever_cancels_the_caller_ends_all() -> None:
    ended: list[int] = []

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(1)

    task = asyncio.create_task(gather([hang(), hang(), hang()]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with fail_after(60), pytest.raises(asyncio.CancelledError):
        await task

    assert ended == [1, 1, 1]


async def test_work_that_cancels_itself_does_not_pass_for_done() -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError

    async def good() -> None:
        pass

    with pytest.raises(asyncio.CancelledError):
        await gather([good(), give_up()])


async def test_a_failure_counts_more_than_work_that_cancels_itself() -> None:
    async def give_up() -> None:
        raise asyncio.CancelledError

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await gather([give_up(), fail()])


async def test_cancelling_awaits_what_goes_on_and_minds_no_failure() -> None:
    async def fail_late() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("in the end")

    async def fail() -> None:
        raise ValueError("at once")

    tasks = [asyncio.create_task(fail_late()), asyncio.create_task(fail())]
    await asyncio.sleep(0)
    with fail_after(60):
        await cancel(tasks)
        await cancel([])

    assert all(task.done() for task in tasks)
