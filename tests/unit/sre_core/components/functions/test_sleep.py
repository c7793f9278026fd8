"""FSleep waits, and gives what came in."""

import anyio
import pytest
from pydantic import ValidationError

from sre_core.testing.bench import bench
from tests.unit.sre_core.components.nodes import made


@pytest.mark.parametrize("value", ["x", {}, None, 0, [1, 2]])
async def test_what_came_in_goes_on(value):
    async with bench() as b:
        assert await b.run("FSleep", {"delay": "0"}, inputs={"Input": value}) == {"Output": value}


async def test_without_an_input_nothing_goes_on():
    async with bench() as b:
        assert await b.run("FSleep", {"delay": 0}) == {}


async def test_it_does_not_end_before_its_time():
    ended = []

    async def sleep(b):
        await b.run("FSleep", {"delay": "3600"}, inputs={"Input": 1})
        ended.append(True)

    async with bench() as b, anyio.create_task_group() as tasks:
        tasks.start_soon(sleep, b)
        await anyio.wait_all_tasks_blocked()
        assert not ended
        # And it can be cancelled.
        tasks.cancel_scope.cancel()
    assert not ended


def test_it_waits_a_second_where_nothing_is_set():
    assert made("FSleep", {"delay": ""}).settings.delay == 1


@pytest.mark.parametrize("delay", ["-1", "soon", "nan", "inf"])
async def test_a_delay_that_is_none_is_a_wrong_setting(delay):
    async with bench() as b:
        with pytest.raises(ValidationError, match="delay"):
            await b.run("FSleep", {"delay": delay})
