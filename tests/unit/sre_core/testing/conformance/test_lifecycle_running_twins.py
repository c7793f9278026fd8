"""How every connector must start, work and stop, and connectors that do not."""

import asyncio
from typing import ClassVar

import pytest

from sre_core.connectors import Connector
from sre_core.errors import ConnectorError
from tests.unit.sre_core.testing.conformance.good import Good, GoodSettings, Kit, broken_rules
from tests.unit.sre_core.testing.conformance.twins import failing


class Refused(Good):
    """Has no server."""

    async def start(self) -> None:
        raise ConnectorError("no server")


class RefusedAloud(Good):
    """Says its password when it has no server."""

    async def start(self) -> None:
        raise ConnectorError("no server", hint=f"is {self.settings.password.get_secret_value()} right?")  # type: ignore[attr-defined]


class RefusedStrangely(Good):
    """Raises what nobody knows."""

    async def start(self) -> None:
        raise KeyError("host")


class CannotStop(Refused):
    """Needs what a failed start did not make."""

    async def stop(self) -> None:
        del self.values


@pytest.mark.parametrize(
    ("kind", "rules"),
    [
        (Refused, set()),
        (RefusedAloud, {"test_no_log_line_and_no_error_shows_a_secret"}),
        (RefusedStrangely, {"test_stop_can_be_called_after_a_failed_start"}),
        (
            CannotStop,
            {"test_stop_can_be_called_after_a_failed_start", "test_no_log_line_and_no_error_shows_a_secret"},
        ),
        (Good, {"test_stop_can_be_called_after_a_failed_start"}),
    ],
)
def test_a_failed_start_must_raise_our_error_and_allow_a_stop(kind: type[Connector], rules: set[str]) -> None:
    class Broken(Kit):
        def make_broken(self) -> Connector:
            return kind(GoodSettings())

    assert failing(Broken) == rules


def test_stop_must_end_the_tasks() -> None:
    class Leaves(Good):
        """Leaves a task behind."""

        async def start(self) -> None:
            await super().start()
            self.tasks = [asyncio.create_task(asyncio.Event().wait())]

    assert broken_rules(Leaves) == {"test_it_starts_works_and_stops"}


def test_stop_must_be_safe_twice() -> None:
    class Once(Good):
        """Counts its stops, from the first start that was finished."""

        stops = -1

        async def start(self) -> None:
            await super().start()
            self.stops = 0

        async def stop(self) -> None:
            await super().stop()
            self.stops += self.stops >= 0
            if self.stops == 2:
                raise ConnectorError("stopped already")

    rules = broken_rules(Once)
    assert "test_stop_can_be_called_twice" in rules
    assert "test_stop_can_be_called_before_start" not in rules
    assert "test_stop_can_be_called_after_a_failed_start" not in rules


def test_stop_must_be_safe_before_start() -> None:
    class Unprepared(Good):
        """Stops what it has not started."""

        begun = False

        async def start(self) -> None:
            self.begun = True
            await super().start()

        async def stop(self) -> None:
            if not self.begun:
                raise ConnectorError("not started")

    rules = broken_rules(Unprepared)
    assert rules == {"test_stop_can_be_called_before_start", "test_a_cancelled_start_can_be_stopped_and_tried_again"}


def test_a_cancelled_start_must_not_spoil_the_next() -> None:
    class HalfOpen(Good):
        """Believes to be started when it is not."""

        begun = False

        async def start(self) -> None:
            if not self.begun:
                self.begun = True
                await super().start()
                await asyncio.sleep(0)
                self.ready = True

        async def stop(self) -> None:
            if hasattr(self, "ready"):
                self.begun = False
                del self.ready

        async def get(self, key: str) -> bytes | None:
            if not hasattr(self, "ready"):
                raise ConnectorError("not ready")
            return await super().get(key)

    assert broken_rules(HalfOpen) == {"test_a_cancelled_start_can_be_stopped_and_tried_again"}


def test_a_stopped_connector_must_be_able_to_start_again() -> None:
    class OneLife(Good):
        """Starts once."""

        finished = False

        async def start(self) -> None:
            if self.finished:
                raise ConnectorError("closed")
            await super().start()

        async def stop(self) -> None:
            self.finished = hasattr(self, "values") and bool(self.values)
            await super().stop()

    assert broken_rules(OneLife) == {"test_it_can_be_started_again_after_stop"}


def test_ping_must_succeed_when_all_is_well() -> None:
    class Unwell(Good):
        """Never healthy."""

        async def ping(self) -> None:
            raise ConnectorError("unwell")

    assert broken_rules(Unwell) == {"test_ping_says_that_it_is_healthy"}


class Exits(Good):
    """Ends the process when used too late."""

    async def stop(self) -> None:
        self.values = None  # type: ignore[assignment]

    async def ping(self) -> None:
        if self.values is None:
            raise SystemExit(3)


class Cancels(Exits):
    """Raises a cancellation that nobody asked for."""

    async def ping(self) -> None:
        if self.values is None:
            raise asyncio.CancelledError


class Hangs(Exits):
    """Waits for an answer that cannot come."""

    async def ping(self) -> None:
        if self.values is None:
            await asyncio.Event().wait()


@pytest.mark.parametrize("kind", [Exits, Cancels, Hangs])
def test_a_stopped_connector_must_raise_what_handles_can_translate(kind: type[Connector]) -> None:
    class Hasty(Kit):
        patience: ClassVar[float] = 3.0

    assert failing(Hasty, lambda: kind(GoodSettings())) == {"test_foreign_errors_never_escape"}


class Wraps(Good):
    """Takes a cancellation for a failure of the backend."""

    async def get(self, key: str) -> bytes | None:
        try:
            return await super().get(key)
        except asyncio.CancelledError as error:
            raise ConnectorError("interrupted") from error


class GoesOn(Good):
    """Does not listen to a cancellation."""

    async def get(self, key: str) -> bytes | None:
        while True:
            try:
                await asyncio.sleep(0)
                return await super().get(key)
            except asyncio.CancelledError:
                await asyncio.Event().wait()


class KeepsLock(Good):
    """Is locked for ever after a call that did not end."""

    async def start(self) -> None:
        await super().start()
        self.lock = asyncio.Lock()

    async def get(self, key: str) -> bytes | None:
        await self.lock.acquire()
        value = await super().get(key)
        self.lock.release()
        return value


@pytest.mark.parametrize("kind", [Wraps, GoesOn, KeepsLock])
def test_a_cancelled_call_must_end_as_such_and_leave_no_trace(kind: type[Connector]) -> None:
    class Hasty(Kit):
        patience: ClassVar[float] = 3.0

    assert failing(Hasty, lambda: kind(GoodSettings())) == {"test_a_cancelled_call_leaves_it_usable"}


def test_calls_at_once_must_not_share_what_they_work_on() -> None:
    class Mixes(Good):
        """Keeps the key of the running call where the next call overwrites it."""

        async def get(self, key: str) -> bytes | None:
            self.key = key
            await asyncio.sleep(0)
            return self.values.get(self.key)

    assert broken_rules(Mixes) == {"test_twenty_calls_at_once_do_not_mix_their_answers"}
