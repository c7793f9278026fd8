"""FTimestamp: the time, as a number or in a format."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from sre_core.components.base import Component, ComponentSettings
from sre_core.components.context import ComponentContext
from sre_core.components.node import InputPort, OutputPort

__all__ = ["FTimestamp", "FTimestampSettings", "format_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Not from `calendar`, which follows the locale of the machine.
_MONTHS = ("January", "February", "March", "April", "May", "June",
           "July", "August", "September", "October", "November", "December")  # fmt: skip
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_TOKEN = re.compile(r"\[([^\]]+)\]|YYYY|YY|M{1,4}|D{1,2}|d{1,4}|H{1,2}|h{1,2}|m{1,2}|s{1,2}|SSS|Z{1,2}|A|a")


def _weekday(moment: datetime) -> int:
    return moment.isoweekday() % 7


def _half_day(moment: datetime) -> str:
    return "AM" if moment.hour < 12 else "PM"


def _offset(moment: datetime) -> str:
    """The offset from UTC, as "+01:00"."""
    minutes = (moment.utcoffset() or timedelta()) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


_WRITERS: Mapping[str, Callable[[datetime], str]] = {
    "YYYY": lambda moment: f"{moment.year:04}",
    "YY": lambda moment: f"{moment.year % 100:02}",
    "MMMM": lambda moment: _MONTHS[moment.month - 1],
    "MMM": lambda moment: _MONTHS[moment.month - 1][:3],
    "MM": lambda moment: f"{moment.month:02}",
    "M": lambda moment: str(moment.month),
    "DD": lambda moment: f"{moment.day:02}",
    "D": lambda moment: str(moment.day),
    "dddd": lambda moment: _DAYS[_weekday(moment)],
    "ddd": lambda moment: _DAYS[_weekday(moment)][:3],
    "dd": lambda moment: _DAYS[_weekday(moment)][:2],
    "d": lambda moment: str(_weekday(moment)),
    "HH": lambda moment: f"{moment.hour:02}",
    "H": lambda moment: str(moment.hour),
    "hh": lambda moment: f"{moment.hour % 12 or 12:02}",
    "h": lambda moment: str(moment.hour % 12 or 12),
    "mm": lambda moment: f"{moment.minute:02}",
    "m": lambda moment: str(moment.minute),
    "ss": lambda moment: f"{moment.second:02}",
    "s": lambda moment: str(moment.second),
    "SSS": lambda moment: f"{moment.microsecond // 1000:03}",
    "Z": _offset,
    "ZZ": lambda moment: _offset(moment).replace(":", ""),
    "A": _half_day,
    "a": lambda moment: _half_day(moment).lower(),
}


def format_time(moment: datetime, pattern: str) -> str:
    """A moment in a format of the library dayjs, such as "YYYY-MM-DD HH:mm:ss".

    Names are English. What stands in brackets, and what means nothing, stays as it is.
    """

    def write(token: re.Match[str]) -> str:
        writer = _WRITERS.get(token[0])
        return writer(moment) if writer else token[1] or token[0]

    return _TOKEN.sub(write, pattern)


class FTimestampSettings(ComponentSettings):
    """How the time is written."""

    format: str = Field(
        default="unix",
        max_length=200,
        description="unix or timestamp: milliseconds since 1970; iso: as in 2026-01-31T09:30:00.000Z; "
        "else a pattern of dayjs, such as YYYY-MM-DD HH:mm:ss, in UTC",
    )


class FTimestamp(Component):
    """Tells the time when it runs.

    `Timestamp` is a number of milliseconds, or a text where a format asks for one. What comes in as `Trigger` does not
    matter. Times are in UTC, where SmythOS takes the time zone of its server.
    """

    name = "FTimestamp"
    settings_type = FTimestampSettings
    settings: FTimestampSettings
    inputs = (InputPort(name="Trigger", optional=True),)
    outputs = (OutputPort(name="Timestamp", default=True),)

    async def run(self, inputs: Mapping[str, Any], context: ComponentContext) -> Mapping[str, Any]:
        """The time."""
        moment = self.now()
        match self.settings.format:
            case "unix" | "timestamp":
                return {"Timestamp": (moment - _EPOCH) // timedelta(milliseconds=1)}
            case "iso":
                return {"Timestamp": format_time(moment.astimezone(UTC), "YYYY-MM-DD[T]HH:mm:ss.SSS[Z]")}
            case pattern:
                return {"Timestamp": format_time(moment, pattern)}

    def now(self) -> datetime:
        """The time, with its zone. A subclass may have another clock, or another zone."""
        return datetime.now(UTC)
