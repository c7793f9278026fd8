"""The place of one connector: made and started on first use, stopped once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

import anyio

from sre_core import logs
from sre_core.connectors.base import Connector
from sre_core.connectors.deadline import Alarm
from sre_core.connectors.operation import Operation
from sre_core.errors import ConfigError, SREError

__all__ = ["Slot"]

log = logs.get_logger(__name__)


class Slot:
    """Holds a connector that may not exist yet: its settings can wait for secrets from the vault.

    Whoever needs it first makes and starts it, while others wait. A start that failed is tried again by the
    next who needs it.
    """

    def __init__(
        self,
        kind: type[Connector],
        make: Callable[[], Awaitable[Connector]],
        *,
        id: str = "default",  # noqa: A002 -- the field's own name
        timeout: float | None = None,
        stop_timeout: float | None = None,
        on_start: "Callable[[Slot], None] | None" = None,
    ) -> None:
        """The timeouts bound start and stop, in seconds; `on_start` hears of each start that succeeded."""
        self.kind = kind
        self.id = id
        self.service: str = kind.service.value
        self.name: str = kind.name
        self.started = False
        self._make = make
        self._timeout = timeout
        self._stop_timeout = stop_timeout
        self._on_start = on_start
        self._connector: Connector | None = None
        self._closed = False
        self._lock = asyncio.Lock()
        self._alarms: dict[float, Alarm] = {}

    @classmethod
    def of(cls, connector: Connector) -> Self:
        """A slot around a connector that somebody else started, and will stop."""

        async def make() -> Connector:
            return connector

        slot = cls(type(connector), make)
        slot._connector = connector
        slot.started = True
        return slot

    @property
    def connector(self) -> Connector:
        """The started connector. Raises ConfigError when it does not run."""
        if self._connector is None:
            raise ConfigError(
                f"{self.service} connector {self.id!r} is not started", hint="use it inside 'async with Runtime()'"
            )
        return self._connector

    @property
    def capabilities(self) -> frozenset[str]:
        """Those of the connector, or of its class until it exists."""
        return (self._connector or self.kind).capabilities

    async def make(self) -> Connector:
        """A new connector with the same settings, neither started nor kept. Raises ConfigError, ConnectorError."""
        return await self._make()

    async def describe(self) -> Mapping[str, str]:
        """What the connector tells of itself, started or not. Raises ConnectorError, ConfigError."""
        async with Operation("describe", _Ready(self), timeout=self._timeout):
            return await (self._connector or await self._make()).describe()

    def alarm(self, seconds: float) -> Alarm:
        """What rings for calls that take longer than that. Few lengths are in use, so each has one for good."""
        alarm = self._alarms.get(seconds)
        if alarm is None:
            alarm = self._alarms[seconds] = Alarm(seconds)
        return alarm

    async def start(self) -> None:
        """Make and start the connector, unless it runs. Raises ConnectorError, ConfigError."""
        async with self._lock:
            if self.started:
                return
            self._check_open()
            connector: Connector | None = None
            try:
                async with Operation("start", _Ready(self), timeout=self._timeout):
                    connector = await self._make()
                    await connector.start()
                self._check_open()
            except BaseException:
                if connector is not None:
                    await self._clean_up(connector)
                raise
            self._connector = connector
            self.started = True
            log.info("connector_started", service=self.service, connector=self.name, id=self.id)
            if self._on_start is not None:
                self._on_start(self)

    async def stop(self) -> None:
        """Stop the connector, if it runs; it will not start again. Raises ConnectorError."""
        # At once: who is starting it now, or waits to, must find out.
        self._closed = True
        async with self._lock:
            self.started = False
            connector, self._connector = self._connector, None
            if connector is not None:
                await self._stop(connector)
                log.info("connector_stopped", service=self.service, connector=self.name, id=self.id)
        for alarm in self._alarms.values():
            alarm.rest()

    def _check_open(self) -> None:
        if self._closed:
            raise ConfigError(
                f"{self.service} connector {self.id!r} was used after its runtime ended",
                hint="keep the 'async with Runtime()' block open as long as its handles are in use",
            )

    async def _stop(self, connector: Connector) -> None:
        # A cancel scope around the caller must not keep open what is to be closed; the deadline holds.
        with anyio.CancelScope(shield=True):
            async with Operation("stop", _Ready(self), timeout=self._stop_timeout):
                await connector.stop()

    async def _clean_up(self, connector: Connector) -> None:
        """Close what a start that failed or was cancelled has opened."""
        try:
            await self._stop(connector)
        except SREError as error:
            log.warning("connector_stop_failed", service=self.service, connector=self.name, error=str(error))


class _Ready:
    """A target for the operations that start and stop a connector."""

    started = True

    def __init__(self, slot: Slot) -> None:
        self.service = slot.service
        self.name = slot.name
        self.alarm = slot.alarm

    async def start(self) -> None:
        """It is past that."""
