"""FTimestamp tells the time. The expected texts of patterns are the answers of dayjs 1.11."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sre_core.components.functions.timestamp import FTimestamp, format_time
from sre_core.testing.bench import bench

MORNING = datetime(2024, 2, 29, 9, 5, 7, 42_999, tzinfo=UTC)


class Stopped(FTimestamp):
    """A clock that stands still."""

    def now(self):
        return MORNING


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 1709197507042),
        ({"format": None}, 1709197507042),
        ({"format": ""}, 1709197507042),
        ({"format": "unix"}, 1709197507042),
        ({"format": "timestamp"}, 1709197507042),
        ({"format": "iso"}, "2024-02-29T09:05:07.042Z"),
        ({"format": "YYYY-MM-DD HH:mm:ss"}, "2024-02-29 09:05:07"),
        ({"format": "dddd, MMMM D, YYYY h:mm A"}, "Thursday, February 29, 2024 9:05 AM"),
        ({"format": "Z"}, "+00:00"),
    ],
)
async def test_the_time_comes_in_the_format_that_is_asked_for(settings, expected):
    async with bench() as b:
        assert await b.run(Stopped, settings, inputs={"Trigger": {"any": "thing"}}) == {"Timestamp": expected}


async def test_the_time_is_that_of_now():
    async with bench() as b:
        before = datetime.now(UTC)
        found = (await b.run("FTimestamp"))["Timestamp"]
    assert isinstance(found, int)
    told = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=found)
    assert before - timedelta(milliseconds=1) <= told <= datetime.now(UTC)


async def test_a_trigger_is_no_part_of_the_format():
    async with bench() as b:
        assert await b.run(Stopped, {"format": "YYYY"}, inputs={"Trigger": "MM"}) == {"Timestamp": "2024"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("YYYY YY", "2024 24"),
        ("M MM MMM MMMM", "2 02 Feb February"),
        ("D DD", "29 29"),
        ("d dd ddd dddd", "4 Th Thu Thursday"),
        ("H HH h hh", "9 09 9 09"),
        ("m mm s ss SSS", "5 05 7 07 042"),
        ("Z ZZ", "+00:00 +0000"),
        ("A a", "AM am"),
        ("YYYY-MM-DD[T]HH:mm:ss.SSS[Z]", "2024-02-29T09:05:07.042Z"),
        ("YYYYMMDDHHmmss", "20240229090507"),
        ("[YYYY] YYYY [o'clock]", "YYYY 2024 o'clock"),
        ("[]", "[]"),
        ("", ""),
        ("., -/:_ T xyz", "., -/:_ T xyz"),
        ("Y YYY YYYYY", "Y 24Y 2024Y"),
        ("DDD HHH SSSS ddddd MMMMM", "2929 099 042S Thursday4 February2"),
        ("日 D 日", "日 29 日"),
    ],
)
def test_a_pattern_is_read_as_dayjs_reads_it(pattern, expected):
    assert format_time(MORNING, pattern) == expected


@pytest.mark.parametrize(
    ("hour", "expected"),
    [
        (0, "12 12 0 AM"),
        (1, "1 01 1 AM"),
        (11, "11 11 11 AM"),
        (12, "12 12 12 PM"),
        (13, "1 01 13 PM"),
        (23, "11 11 23 PM"),
    ],
)
def test_noon_and_midnight_are_twelve(hour, expected):
    assert format_time(MORNING.replace(hour=hour), "h hh H A") == expected


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (60, "+01:00 +0100"),
        (330, "+05:30 +0530"),
        (-210, "-03:30 -0330"),
        (-480, "-08:00 -0800"),
        (840, "+14:00 +1400"),
    ],
)
def test_the_offset_of_the_zone_is_written(minutes, expected):
    zone = timezone(timedelta(minutes=minutes))
    assert format_time(MORNING.astimezone(zone), "Z ZZ") == expected


def test_each_month_and_each_day_of_the_week_has_its_name():
    months = [format_time(datetime(2024, month, 1, tzinfo=UTC), "MMM") for month in range(1, 13)]
    assert " ".join(months) == "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
    # 2024 began on a Monday.
    days = [format_time(datetime(2024, 1, day, tzinfo=UTC), "ddd d") for day in range(1, 8)]
    assert " ".join(days) == "Mon 1 Tue 2 Wed 3 Thu 4 Fri 5 Sat 6 Sun 0"


def test_a_year_before_1000_has_four_digits():
    assert format_time(datetime(999, 1, 1, tzinfo=UTC), "YYYY") == "0999"
