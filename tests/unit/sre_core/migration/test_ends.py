"""Many at once, the first failure ends all, and what may pass is tried again."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from sre_core.errors import ConfigError, ConnectorError, RateLimitedError, UnavailableError
from sre_core.migration.ends import patiently, spread


async def numbers(count: int) -> AsyncGenerator[int]:
    for number in range(count):
        yield number


async def test_work_is_spread_over_so_many_and_all_of_it_done() -> None:
    now, most, done = 0, 0, []

    async def work(number: int) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        done.append(number)

    await spread(numbers(50), work, jobs=4)
    assert (sorted(done), most, now) == (list(range(50)), 4, 0)


async def test_the_first_failure_ends_all_and_takes_no_more() -> None:
    taken, left = [], []

    async def work(number: int) -> None:
        taken.append(number)
        try:
            if number == 3:
                raise ConfigError("no")
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            left.append(number)
            raise

    with pytest.raises(ConfigError):
        await spread(numbers(50), work, jobs=5)
    assert (taken, sorted(left)) == ([0, 1, 2, 3, 4], [0, 1, 2, 4])


async def test_pauses_grow_or_are_those_that_were_asked_for_and_have_an_end() -> None:
    pauses: list[float] = []
    errors: list[ConnectorError] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def work() -> str:
        if errors:
            raise errors.pop(0)
        return "done"

    errors[:] = [UnavailableError("a"), UnavailableError("b"), RateLimitedError("c", retry_after=7.0)]
    assert await patiently(work, sleep=sleep) == "done"
    assert pauses == [1.0, 2.0, 7.0]
    errors[:] = [RateLimitedError("x", retry_after=999.0) for _ in range(9)]
    with pytest.raises(RateLimitedError):
        await patiently(work, sleep=sleep)
    assert pauses[3:] == [30.0] * 4


async def test_what_will_not_pass_is_not_tried_again() -> None:
    tries = 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        raise ConnectorError("damaged")

    with pytest.raises(ConnectorError):
        await patiently(work)
    assert tries == 1
