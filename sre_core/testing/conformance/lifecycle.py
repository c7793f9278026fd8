"""The rules that every connector keeps, whatever its kind."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from sre_core.access.candidate import check_id
from sre_core.connectors.base import Connector, Service, Settings
from sre_core.errors import ConfigError, ConnectorError
from sre_core.testing.conformance import observe, spans

__all__ = ["CAPABILITIES", "LifecycleConformance"]

CAPABILITIES: Mapping[Service, frozenset[str]] = {
    Service.LLM: frozenset(
        {
            "audio",
            "count-tokens",
            "documents",
            "embed",
            "image-generation",
            "images",
            "reasoning",
            "schema",
            "tools",
            "video",
        }
    ),
    Service.STORAGE: frozenset({"condition", "expire", "stream", "url"}),
    Service.VECTORS: frozenset({"scan"}),
    Service.CACHE: frozenset({"increment"}),
    Service.VAULT: frozenset({"write"}),
}
"""The words that a connector of each kind may declare."""


class LifecycleConformance:
    """The part that all kits share. Subclass the kit of your kind, and give it `make`:

        class TestAcme(StorageConformance):
            def make(self) -> StorageConnector:
                return AcmeStorage(AcmeSettings(folder=self.folder))

    Each rule is a test. Several connectors may be made in one test, but only one runs at a time.
    """

    pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("anyio_backend")]  # noqa: RUF012 -- read by pytest

    patience: ClassVar[float] = 30.0
    """Seconds after which a rule counts as broken; more for a backend that starts slowly."""

    folder: Path
    """An empty folder, new for each test."""

    def make(self) -> Connector:
        """A new connector that is not started; all that `make` returns in one test lead to the same backend."""
        raise NotImplementedError(
            f"{type(self).__name__} needs `def make(self)` that returns a new connector, not started"
        )

    def make_broken(self) -> Connector | None:
        """A connector whose start must fail, as when its server is not there; None if no start can fail."""
        return None

    async def exercise(self, connector: Any, token: str) -> None:
        """Do a round trip that leads to `token`, assert the answer, tidy up. Each kit of a kind has its own."""
        raise NotImplementedError(f"{type(self).__name__} needs `async def exercise(self, connector, token)`")

    @pytest.fixture(scope="session")
    @classmethod
    def anyio_backend(cls) -> str:
        """Connectors run on asyncio."""
        return "asyncio"

    @pytest.fixture(autouse=True)
    def _new_folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @pytest.fixture
    async def connector(self) -> AsyncIterator[Connector]:
        """A started connector, stopped afterwards."""
        connector = self.make()
        await connector.start()
        try:
            yield connector
        finally:
            await connector.stop()

    async def _use(self, connector: Connector) -> None:
        async with asyncio.timeout(self.patience):
            await self.exercise(connector, _token())

    async def _start(self, connector: Connector) -> None:
        async with asyncio.timeout(self.patience):
            await connector.start()

    async def _stop(self, connector: Connector) -> None:
        async with asyncio.timeout(self.patience):
            await connector.stop()

    async def _live(self, connector: Connector) -> list[Exception]:
        """Start, work and stop, whatever fails; what was raised."""
        errors: list[Exception] = []
        for step in (connector.start, lambda: self._use(connector), connector.stop):
            try:
                async with asyncio.timeout(self.patience):
                    await step()
            except Exception as error:  # noqa: BLE001 -- other tests judge errors
                errors.append(error)
        return errors

    async def _error_of(self, call: Awaitable[None]) -> BaseException | None:
        """What `call` raises, even if it is an exit or a cancellation that nobody asked for."""
        task = asyncio.current_task()
        try:
            async with asyncio.timeout(self.patience) as scope:
                await call
        except BaseException as error:
            assert not scope.expired(), f"it went on for more than {self.patience:g} seconds"
            if task is not None and task.cancelling():
                raise
            return error
        return None

    # What it says of itself

    def test_it_describes_itself(self) -> None:
        """Its service, name and capabilities are legal, and its class says in a docstring what it is."""
        kind = type(self.make())
        assert isinstance(kind.service, Service), f"service is {kind.service!r}, not one of Service"
        assert isinstance(kind.name, str), f"name is {kind.name!r}, not text"
        check_id(kind.name, "connector name")
        assert (kind.__doc__ or "").strip(), f"{kind.__name__} has no docstring"
        assert isinstance(kind.capabilities, frozenset), "capabilities is not a frozenset"
        unknown = kind.capabilities - CAPABILITIES[kind.service]
        assert not unknown, f"unknown capabilities {sorted(unknown)}; known: {sorted(CAPABILITIES[kind.service])}"

    def test_it_is_made_from_its_settings_alone(self) -> None:
        """Its constructor takes an object of its `settings_type`, and keeps it as `settings`."""
        connector = self.make()
        assert issubclass(connector.settings_type, Settings), "settings_type is no subclass of Settings"
        assert isinstance(connector.settings, connector.settings_type)
        again = type(connector)(connector.settings)
        assert again.settings is connector.settings

    async def test_the_constructor_opens_nothing(self) -> None:
        """No file, socket, thread, process or task comes to be before `start`."""
        before = asyncio.all_tasks()
        with observe.opened() as opened:
            self.make()
        assert not opened, f"the constructor opened: {', '.join(opened)}"
        assert asyncio.all_tasks() == before, "the constructor created a task"

    # Settings

    def test_an_unknown_setting_is_refused(self) -> None:
        """A misspelt key fails, instead of being ignored."""
        settings = self.make().settings
        values = {name: getattr(settings, name) for name in type(settings).model_fields}
        with pytest.raises(ValidationError) as refused:
            type(settings).model_validate(values | {"no_such_setting": 1})
        assert any(error["loc"] == ("no_such_setting",) for error in refused.value.errors())

    def test_settings_cannot_be_changed(self) -> None:
        """Settings are frozen: what a connector was started with stays true."""
        settings = self.make().settings
        name = next(iter(type(settings).model_fields), "anything")
        with pytest.raises(ValidationError):
            setattr(settings, name, getattr(settings, name, None))

    def test_secret_settings_are_secret_strings(self) -> None:
        """A setting that is named like a secret has the type SecretStr."""
        plain = observe.plain_secrets(self.make().settings_type)
        assert not plain, f"the settings {plain} hold secrets as plain text; make them SecretStr"

    def test_no_repr_shows_a_secret(self) -> None:
        """Neither the connector nor its settings show a secret when printed."""
        made = self.make()
        for connector in (made, observe.marked(made)):
            settings = connector.settings
            text = f"{connector!r} {connector} {settings!r} {settings}"
            shown = [name for name, secret in observe.secrets(settings) if secret in text]
            assert not shown, f"printed, the connector shows its settings {shown}"

    async def test_no_log_line_and_no_error_shows_a_secret(self) -> None:
        """Starting, working, stopping and failing with a secret neither logs, prints nor raises it."""
        made = self.make()
        for connector in (made, observe.marked(made), self.make_broken()):
            if connector is None:
                continue
            with observe.output() as output:
                for error in await self._live(connector):
                    output.note(error)
                await self._stop(connector)
            shown = [name for name, secret in observe.secrets(connector.settings) if secret in output.text]
            assert not shown, f"logs, output or errors show the settings {shown}"

    async def test_it_adds_no_spans(self) -> None:
        """Spans are the runtime's: those of a library may show what nobody chose to show."""
        made = self.make()
        for connector in (made, observe.marked(made), self.make_broken()):
            if connector is None:
                continue
            with spans.recorded() as recorded:
                await self._live(connector)
            shown = [name for name, secret in observe.secrets(connector.settings) if secret in recorded.text]
            names = sorted(set(recorded.names))
            assert not shown, f"spans {names} of its own show the settings {shown}"
            assert not names, f"it adds the spans {names}; switch them off in the library that makes them"

    # Starting and stopping

    async def test_it_starts_works_and_stops(self) -> None:
        """`start`, a round trip, `stop`; and no task stays behind."""
        before = asyncio.all_tasks()
        connector = self.make()
        await self._start(connector)
        try:
            await self._use(connector)
        finally:
            await self._stop(connector)
        for _ in range(20):
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - before
        assert not left, f"stop left {len(left)} tasks running"

    async def test_stop_can_be_called_twice(self, connector: Connector) -> None:
        """The second `stop` does nothing."""
        await self._use(connector)
        await self._stop(connector)
        await self._stop(connector)

    async def test_stop_can_be_called_before_start(self) -> None:
        """A connector that never started can be stopped."""
        await self._stop(self.make())

    async def test_stop_can_be_called_after_a_failed_start(self) -> None:
        """A start that fails raises ConnectorError or ConfigError, and `stop` cleans up after it."""
        broken = self.make_broken()
        if broken is None:
            broken = self.make()
            await _cancelled_start(broken, turns=1)
        else:
            error = await self._error_of(broken.start())
            assert error is not None, "the start of what make_broken returned did not fail"
            assert isinstance(error, (ConnectorError, ConfigError)), (
                f"start raised {type(error).__name__}; raise a ConnectorError from it"
            )
        await self._stop(broken)
        await self._stop(broken)

    async def test_a_cancelled_start_can_be_stopped_and_tried_again(self) -> None:
        """Cancelling `start` at any moment leaves nothing that `stop` and another `start` cannot mend."""
        for turns in (0, 1, 2, 5):
            connector = self.make()
            await _cancelled_start(connector, turns=turns)
            await self._stop(connector)
            await self._start(connector)
            try:
                await self._use(connector)
            finally:
                await self._stop(connector)

    async def test_it_can_be_started_again_after_stop(self, connector: Connector) -> None:
        """A stopped connector is as good as a new one."""
        await self._use(connector)
        await self._stop(connector)
        await self._start(connector)
        await self._use(connector)

    # Working

    async def test_ping_says_that_it_is_healthy(self, connector: Connector) -> None:
        """`ping` returns on a started connector."""
        async with asyncio.timeout(self.patience):
            await connector.ping()

    async def test_foreign_errors_never_escape(self, connector: Connector) -> None:
        """Used after `stop`, it works or raises an Exception, which handles translate: no exit, cancellation, hang."""
        await self._stop(connector)
        for name, call in (("ping", connector.ping), ("a round trip", lambda: self.exercise(connector, _token()))):
            error = await self._error_of(call())
            assert error is None or isinstance(error, Exception), (
                f"{name} on a stopped connector raised {type(error).__name__}, which no handle can translate"
            )

    async def test_a_cancelled_call_leaves_it_usable(self, connector: Connector) -> None:
        """A call that is cancelled, wherever it is, raises CancelledError, and the next call works."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._use(connector)
        took = loop.time() - began
        for moment in range(20):
            call = asyncio.create_task(self.exercise(connector, _token()))
            if moment < 10:
                for _ in range(moment):
                    await asyncio.sleep(0)
            else:
                await asyncio.wait({call}, timeout=took * (moment - 9) / 11)
            call.cancel()
            done, _ = await asyncio.wait({call}, timeout=self.patience)
            assert done, "a cancelled call went on"
            error = None if call.cancelled() else call.exception()
            assert error is None, f"a cancelled call raised {type(error).__name__} instead of CancelledError"
            await self._use(connector)

    async def test_twenty_calls_at_once_do_not_mix_their_answers(self, connector: Connector) -> None:
        """Each of many calls at once gets its own answer."""
        tokens = [_token() for _ in range(20)]
        async with asyncio.timeout(self.patience):
            await asyncio.gather(*(self.exercise(connector, token) for token in tokens))


async def _cancelled_start(connector: Connector, *, turns: int) -> None:
    """Start, and cancel after some turns of the loop; a start that is done by then is as good."""
    starting = asyncio.create_task(connector.start())
    for _ in range(turns):
        await asyncio.sleep(0)
    starting.cancel()
    await asyncio.wait({starting})
    error = None if starting.cancelled() else starting.exception()
    assert error is None, f"a cancelled start raised {type(error).__name__} instead of CancelledError"


def _token() -> str:
    return uuid.uuid4().hex
