import random
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from sre_core.components.dates import iso_date


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-01-02", "2024-01-02T00:00:00.000Z"),
        ("2024-01-02T03:04:05.123456+02:00", "2024-01-02T01:04:05.123Z"),
        ("01/20/2024", "2024-01-20T00:00:00.000Z"),
        ("01/02/2024", "2024-01-02T00:00:00.000Z"),
        ("Jan 5, 2024 5pm", "2024-01-05T17:00:00.000Z"),
        ("29 Feb 2024", "2024-02-29T00:00:00.000Z"),
        ("Tue, 02 Jan 2024 03:04:05 GMT", "2024-01-02T03:04:05.000Z"),
        ("2024-01-02 10:00 EST", "2024-01-02T15:00:00.000Z"),
        ("Tue, 02 Jan 2024 03:04:05 GMT+0200", "2024-01-02T01:04:05.000Z"),
        ("Tue Jan 02 2024 03:04:05 GMT-0330 (Newfoundland Standard Time)", "2024-01-02T06:34:05.000Z"),
        ("2024-01-02 03:04 UTC+2", "2024-01-02T01:04:00.000Z"),
        ("2024-01-02T24:00:00Z", "2024-01-03T00:00:00.000Z"),
        ("1704164645000", "2024-01-02T03:04:05.000Z"),
        ("1.704164645e12", "2024-01-02T03:04:05.000Z"),
        (" 5. ", "1970-01-01T00:00:00.005Z"),
        (1704164645000.0, "2024-01-02T03:04:05.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (-5.9, "1969-12-31T23:59:59.995Z"),
        (date(2024, 1, 2), "2024-01-02T00:00:00.000Z"),
        (datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=3))), "2024-01-02T00:00:00.000Z"),
        (datetime(2024, 1, 2, tzinfo=UTC), "2024-01-02T00:00:00.000Z"),
    ],
)
def test_dates_are_read_as_people_write_them(value: Any, expected: str) -> None:
    assert iso_date(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "male",
        "March",
        "10:30",
        "2001-02-29",
        "2024-01-02 10:00 CEST",
        "13/01/2024",
        "2024-01-02T24:30",
        "1e999",
        "\u0661\u0662",
        "9" * 99,
        "1" * 10_000,
        "",
        True,
        None,
        [2024],
        float("nan"),
    ],
)
def test_what_is_no_date_of_its_own_is_refused(value: Any) -> None:
    with pytest.raises((ValueError, OverflowError)):
        iso_date(value)


def test_no_text_breaks_it() -> None:
    chance = random.Random(7)
    letters = "0123456789 :/-.,TZ+apmJanFebutc\n()%eE\u0660"
    for _ in range(3000):
        text = "".join(chance.choices(letters, k=chance.randint(1, 14)))
        try:
            found = iso_date(text)
        except (ValueError, OverflowError):
            continue
        assert found.endswith("Z")
