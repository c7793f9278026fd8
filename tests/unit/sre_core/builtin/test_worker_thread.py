"""A thread is never left behind by who started it."""

import asyncio
import threading

import anyio
import pytest

from sre_core.builtin.worker_thread import in_thread


@pytest.fixture
def work():
    """A function that runs until it is let go, with what to watch it by."""

    class Work:
        began, go_on, ended = threading.Event(), threading.Event(), False

        def __call__(self):
            self.began.set()
            self.go_on.wait(10)
            self.ended = True

    made = Work()
    yield made
    made.go_on.set()


async def begun(work):
    with anyio.fail_after(60):
        while not work.began.is_set():  # noqa: ASYNC110 -- set by a thread
            await asyncio.sleep(0)


async def test_results_and_errors_come_out():
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


async def test_a_caller_that_is_cancelled_waits_for_its_thread(work):
    task = asyncio.create_task(in_thread(work))
    await begun(work)
    for _ in range(3):
        task.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not task.done()
    work.go_on.set()
    await asyncio.wait([task])
    assert task.cancelled()
    assert work.ended


async def test_so_does_one_whose_scope_is_cancelled(work):
    async with anyio.create_task_group() as group:
        group.start_soon(in_thread, work)
        await begun(work)
        group.cancel_scope.cancel()
        work.go_on.set()
    assert work.ended
