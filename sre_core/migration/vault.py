"""Copies secrets from one vault to another, and shows none."""

from collections.abc import AsyncGenerator

from pydantic import SecretStr

from sre_core.errors import ConfigError, ConnectorError, NotFoundError, UnsupportedError
from sre_core.migration.ends import End, is_fatal, patiently, spread
from sre_core.migration.report import Listener, Outcome, Report, Survey

__all__ = ["VaultCopy"]


class VaultCopy:
    """Every secret that the source names. One that is there already is left alone; one that is written is read back."""

    def __init__(
        self, source: End, target: End, *, prefix: str = "", jobs: int = 4, listener: Listener | None = None
    ) -> None:
        """`prefix` narrows it to the secrets there and below; `jobs` secrets are on their way at once."""
        self._source = source
        self._target = target
        self._prefix = tuple(prefix.split("/")) if prefix else ()
        self._jobs = jobs
        self._listener = listener or Listener()
        self._report = Report()
        self._writes = True

    async def survey(self) -> Survey:
        """The names of the secrets. Raises ConnectorError."""
        names = [name async for name in self._names()]
        return Survey(count=len(names), names=tuple(names))

    async def run(self, *, write: bool = True) -> Report:
        """Copy everything, or with `write` false find out what there is to copy.

        Raises UnsupportedError when the target cannot be written to, and ConnectorError when an end is gone or lets
        nobody in.
        """
        self._report, self._writes = Report(), write
        await self._source.start()
        await self._target.start()
        if not self._target.can("write"):
            raise UnsupportedError(
                f"vault connector {self._target.connector!r} cannot be written to",
                hint="to be copied to, it needs the capability 'write'",
            )
        await spread(self._names(), self._deal_with, jobs=self._jobs)
        return self._report

    async def _names(self) -> AsyncGenerator[str]:
        names: list[str] = await self._source.call("names", lambda connector: connector.names())
        for name in names:
            if tuple(name.split("/"))[: len(self._prefix)] == self._prefix:
                yield name

    async def _deal_with(self, name: str) -> None:
        try:
            outcome = await patiently(lambda: self._copy(name))
        except (ConnectorError, ConfigError) as error:
            if await is_fatal(error, self._source, self._target):
                raise
            self._report.differs(name, error.message)
            return
        self._report.count(outcome)
        self._listener.moved(1)
        self._listener.done(name, outcome)

    async def _copy(self, name: str) -> Outcome:
        secret = await self._get(self._source, name)
        if secret is None:
            return Outcome.GONE
        there = await self._get(self._target, name)
        # SecretStr compares what it hides, and shows it in no message.
        if there == secret:
            return Outcome.SAME
        if self._writes:
            await self._target.call("set", lambda connector: connector.set(name, secret))
            if await self._get(self._target, name) != secret:
                raise ConnectorError("it reads back otherwise than it was written", hint="copy again")
        return Outcome.COPIED if there is None else Outcome.REPLACED

    async def _get(self, end: End, name: str) -> SecretStr | None:
        try:
            secret: SecretStr = await end.call("get", lambda connector: connector.get(name))
        except NotFoundError:
            return None
        return secret
