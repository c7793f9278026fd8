"""Tests of slots: started once, on first use; what fails is closed, reported, and tried again."""

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from sre_core.builtin.memory_cache import MemoryCache
from sre_core.connectors import Connector, Slot
from sre_core.errors import ConfigError, ConnectorError, DeadlineError, UnavailableError

SECRET = "hunter2"


class Moody(MemoryCache):
    """Does on start and stop what a test says, and keeps a diary."""

    name = "moody"

    def __init__(self, diary: list[str], on_start: Any = None, on_stop: Any = None) -> None:
        super().__init__(MemoryCache.settings_type())
        self.diary, self.on_start, self.on_stop = diary, on_start, on_stop

    async def start(self) -> None:
        self.diary.append("start")
        if self.on_start is not None:
            await self.on_start()

    async def stop(self) -> None:
        self.diary.append("stop")
        if self.on_stop is not None:
            await self.on_stop()
        self.diary.append("stopped")


def raising(error: BaseException) -> Callable[[], Any]:
    async def fail() -> None:
        raise error

    return fail


async def forever() -> None:
    await asyncio.Event().wait()


def slot_of(*made: Connector, **options: Any) -> Slot:
    """A slot that makes these connectors, one after the other."""
    waiting = list(made)

    async def make() -> Connector:
        return waiting.pop(0)

    return Slot(Moody, make, **options)


async def test_a_connector_that_does_not_run_tells_of_itself_without_a_start() -> None:
    diary: list[str] = []

    class Talking(Moody):
        async def describe(self) -> dict[str, str]:
            return {"diary": " ".join(self.diary)}

    slot = slot_of(Talking(diary), Talking(diary))
    assert await slot.describe() == {"diary": ""}
    assert not slot.started
    await slot.start()
    assert await slot.describe() == {"diary": "start"}


async def test_what_fails_while_a_connector_tells_of_itself_is_an_error_of_ours() -> None:
    class Broken(Moody):
        async def describe(self) -> dict[str, str]:
            raise KeyError(SECRET)

    with pytest.raises(ConnectorError):
        await slot_of(Broken([])).describe()


async def test_many_who_need_it_at_once_start_it_once() -> None:
    diary: list[str] = []
    go = asyncio.Event()
    heard: list[Slot] = []
    slot = slot_of(Moody(diary, go.wait), on_start=heard.append)
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(slot.start())
        await asyncio.sleep(0)
        assert not slot.started
        go.set()
    assert (diary, heard) == (["start"], [slot])
    assert isinstance(slot.connector, Moody)


async def test_a_failed_start_is_closed_reported_and_tried_again_by_the_next() -> None:
    diary: list[str] = []
    slot = slot_of(Moody(diary, raising(OSError(SECRET))), Moody(diary))
    with pytest.raises(ConnectorError, match="cache start through 'moody' failed: OSError") as raised:
        await slot.start()
    assert SECRET not in str(raised.value)
    assert isinstance(raised.value.__cause__, OSError)
    assert diary == ["start", "stop", "stopped"]
    assert not slot.started
    await slot.start()
    assert slot.started


async def test_an_error_of_ours_at_the_start_passes_as_it_is() -> None:
    error = UnavailableError("no server")
    with pytest.raises(UnavailableError) as raised:
        await slot_of(Moody([], raising(error))).start()
    assert raised.value is error


async def test_a_start_that_fails_twice_over_reports_the_first_failure(caplog: pytest.LogCaptureFixture) -> None:
    slot = slot_of(Moody([], raising(OSError(SECRET)), raising(ValueError(SECRET))))
    with pytest.raises(ConnectorError, match="start through 'moody' failed: OSError"):
        await slot.start()
    assert "connector_stop_failed" in caplog.text
    assert SECRET not in caplog.text


async def test_what_cannot_even_be_made_is_an_error_of_ours() -> None:
    async def make() -> Connector:
        raise KeyError(SECRET)

    with pytest.raises(ConnectorError, match="failed: KeyError") as raised:
        await Slot(Moody, make).start()
    assert SECRET not in str(raised.value)


async def test_a_start_that_hangs_is_given_up_and_closed() -> None:
    diary: list[str] = []
    with pytest.raises(DeadlineError, match="cache start"):
        await slot_of(Moody(diary, forever), timeout=0.01).start()
    assert diary == ["start", "stop", "stopped"]


async def test_a_cancelled_start_is_closed_and_the_next_who_waits_starts_anew() -> None:
    diary: list[str] = []
    slot = slot_of(Moody(diary, forever), Moody(diary))
    first, second = asyncio.create_task(slot.start()), asyncio.create_task(slot.start())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert diary == ["start", "stop", "stopped", "start"]
    assert slot.started


async def test_a_start_in_a_cancelled_scope_is_closed_to_the_end() -> None:
    diary: list[str] = []
    with anyio.CancelScope() as scope:

        async def leave() -> None:
            scope.cancel()
            await forever()

        await slot_of(Moody(diary, leave, lambda: asyncio.sleep(0))).start()
    assert diary == ["start", "stop", "stopped"]


async def test_a_stop_that_hangs_is_given_up() -> None:
    slot = slot_of(Moody([], None, forever), stop_timeout=0.01)
    await slot.start()
    with pytest.raises(DeadlineError, match="cache stop"):
        await slot.stop()
    assert not slot.started


async def test_a_stop_that_fails_says_so_once() -> None:
    slot = slot_of(Moody([], None, raising(OSError(SECRET))))
    await slot.start()
    with pytest.raises(ConnectorError, match="cache stop through 'moody' failed: OSError"):
        await slot.stop()
    await slot.stop()


async def test_what_was_stopped_does_not_start_again() -> None:
    diary: list[str] = []
    for slot in (slot_of(Moody(diary)), slot_of(Moody(diary))):
        if not diary:
            await slot.start()
        await slot.stop()
        with pytest.raises(ConfigError, match="used after its runtime ended"):
            await slot.start()
    assert diary == ["start", "stop", "stopped"]


async def test_a_stop_waits_for_a_start_that_is_under_way_and_closes_what_it_opened() -> None:
    diary: list[str] = []
    go = asyncio.Event()
    slot = slot_of(Moody(diary, go.wait))
    starting = asyncio.create_task(slot.start())
    await asyncio.sleep(0)
    stopping = asyncio.create_task(slot.stop())
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(ConfigError, match="after its runtime ended"):
        await starting
    await stopping
    assert diary == ["start", "stop", "stopped"]
    assert not slot.started


async def test_a_connector_of_somebody_else_is_taken_as_started() -> None:
    diary: list[str] = []
    connector = Moody(diary)
    slot = Slot.of(connector)
    await slot.start()
    assert slot.connector is connector
    assert diary == []


async def test_a_slot_that_was_not_started_has_no_connector() -> None:
    with pytest.raises(ConfigError, match="is not started"):
        _ = slot_of(Moody([])).connector
