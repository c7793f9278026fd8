"""Dates as a workflow has them: ISO 8601 in UTC, with milliseconds, as in "2024-01-20T00:00:00.000Z"."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any

__all__ = ["iso_date"]

_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*")
# ISO 8601 has two names for the moment between two days.
_MIDNIGHT = re.compile(r"(?<=\d[T ])24(?=:00(?::00(?:\.0+)?)?(?:[Zz+-]|$))")
# In "GMT+0100", as browsers write it, the sign means what it means in "+0100"; POSIX, and dateutil, turn it around.
_OFFSET_NAME = re.compile(r"\b(?:GMT|UTC|UT)(?=[+-]\d)")
_COMMENT = re.compile(r"\([^()]*\)")
_DAY_FIRST = re.compile(r"(?:1[3-9]|[2-9]\d)[/.-]\d{1,2}[/.-]\d+\b")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_LENGTH = 100
# Names of zones mean different things in different countries; these are the ones that e-mail knows (RFC 2822).
_ZONES: Mapping[str, int] = MappingProxyType(
    {"UTC": 0, "GMT": 0, "Z": 0, "UT": 0}
    | {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
)
# A leap year and one that is none: what is the same with both named its own year.
_YEARS = (datetime(2000, 1, 1), datetime(2001, 1, 1))


def iso_date(value: Any) -> str:
    """A date in ISO form: from a number of milliseconds since 1970, or from a text as people write it.

    Of "01/02/2024" the month comes first, as in SmythOS, so that "13/01/2024" is no date. What names no zone is in UTC;
    what names no year is no date.
    Raises ValueError, OverflowError.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day, tzinfo=UTC)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        moment = _EPOCH + timedelta(milliseconds=math.trunc(value))
    elif isinstance(value, str) and len(value) <= _MAX_LENGTH:
        if _NUMBER.fullmatch(value):
            return iso_date(float(value))
        moment = _parsed(value.strip())
    else:
        raise ValueError("no date")
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _parsed(text: str) -> datetime:
    text, days = _MIDNIGHT.subn("00", text)
    return _read(text) + timedelta(days=days)


def _read(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        # Imported when needed: most dates are in ISO form.
        from dateutil import parser

        if _DAY_FIRST.match(text):
            raise ValueError("no month") from None
        text = _OFFSET_NAME.sub("", _COMMENT.sub("", text))
        first, second = (parser.parse(text, default=year, tzinfos=_zone) for year in _YEARS)
        if first != second:
            raise ValueError("no year") from None
        return first


def _zone(name: str | None, offset: int | None) -> tzinfo | int | None:
    if offset is not None or name is None:
        return offset
    if name not in _ZONES:
        raise ValueError("unknown time zone")
    return _ZONES[name] * 3600
