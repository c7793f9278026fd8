"""A trigger for what is to happen at certain times."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from sre_core.components.base import Flaw
from sre_core.components.context import ComponentContext
from sre_core.components.loose_json import parse_loose_json
from sre_core.components.template import expand_value
from sre_core.components.triggers.base import Trigger, TriggerSettings
from sre_core.errors import ComponentError

__all__ = ["JobSchedulerTrigger", "JobSchedulerTriggerSettings"]


class JobSchedulerTriggerSettings(TriggerSettings):
    """What each run gets, and when runs are due: by an interval or by a cron expression."""

    payload: Any = Field(default_factory=dict, description="What each run gets, as JSON or as an object.")
    interval: float | None = Field(None, gt=0, le=366 * 86_400, description="Seconds from one run to the next.")
    cron: str = Field("", description="When to run, as minute hour day month weekday: 0 8 * * 1-5.")
    timezone: str = Field("UTC", description="Time zone that the cron expression means, such as Europe/Paris.")


class JobSchedulerTrigger(Trigger):
    """Starts a workflow at certain times: `Payload` is what the author set.

    `next_run` says when it is due. Nothing in this runtime watches the clock yet: call the trigger from a scheduler of
    your own. Unlike in SmythOS there is a schedule; there, every job ran each ten seconds.
    """

    name = "JobSchedulerTrigger"
    settings_type = JobSchedulerTriggerSettings
    settings: JobSchedulerTriggerSettings

    def check(self) -> Iterator[Flaw]:
        """What is wrong with the schedule or the payload."""
        if self.settings.cron:
            yield from Flaw.raised_by(self._refuse_two_schedules)
            yield from Flaw.raised_by(lambda: self._next_by_cron(datetime.now(UTC)), "cron")
            yield from Flaw.raised_by(self._zone, "timezone")
        yield from Flaw.raised_by(self._payload, "payload")

    def next_run(self, after: datetime) -> datetime | None:
        """The first time after `after`, which has a time zone, or None without a schedule. Raises ComponentError."""
        if after.tzinfo is None:
            raise ComponentError("a time without a time zone can be any time", hint="give datetime.now(UTC)")
        self._refuse_two_schedules()
        if self.settings.interval:
            return after + timedelta(seconds=self.settings.interval)
        return self._next_by_cron(after.astimezone(self._zone())) if self.settings.cron else None

    async def payloads(self, inputs: Mapping[str, Any], context: ComponentContext) -> list[Any]:
        """The one that is set, with its placeholders filled."""
        return [await expand_value(self._payload(), {}, context, node=self.node)]

    def _refuse_two_schedules(self) -> None:
        if self.settings.cron and self.settings.interval:
            raise ComponentError("the schedule has an interval and a cron expression", hint="set one of them")

    def _zone(self) -> tzinfo:
        try:
            return ZoneInfo(self.settings.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ComponentError(
                f"there is no time zone {self.settings.timezone!r}", hint="such as UTC or Europe/Paris"
            ) from error

    def _next_by_cron(self, after: datetime) -> datetime:
        # Not at the top: only this trigger needs it.
        from cronsim import CronSim, CronSimError

        try:
            return next(CronSim(self.settings.cron, after))
        except CronSimError as error:
            raise ComponentError(
                f"the cron expression {self.settings.cron!r} is wrong: {error}",
                hint="as minute hour day month weekday: 0 8 * * 1-5",
            ) from error
        except StopIteration:
            raise ComponentError(
                f"the cron expression {self.settings.cron!r} names no time in the next 50 years"
            ) from None

    def _payload(self) -> Any:
        given = self.settings.payload
        return parse_loose_json(given, repair=False) if isinstance(given, str) else given
